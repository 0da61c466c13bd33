"""What the fast lane remembers, and for how long."""

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.lane.memory import LARGE, LARGE_BYTES, SMALL_BYTES, Memory, Seen

SIZE = SMALL_BYTES // 1000


def test_what_comes_once_is_not_remembered_and_what_comes_again_is() -> None:
    memory: Memory[int] = Memory()
    memory.offer(b"a", 1, SIZE)
    assert memory.get(b"a") is None
    memory.offer(b"a", 2, SIZE)
    assert memory.get(b"a") == 2
    memory.offer(b"a", 3, SIZE)
    assert memory.get(b"a") == 3


def test_large_ones_do_not_crowd_out_small_ones() -> None:
    memory: Memory[int] = Memory()
    small = [b"%d" % number for number in range(400)]
    for request in small * 2:
        memory.offer(request, 1, SIZE)
    for number in range(100):
        for _ in range(2):
            memory.offer(b"large %d" % number, 2, LARGE_BYTES // 4)
    assert all(memory.get(request) == 1 for request in small)
    assert memory.get(b"large 99") == 2
    assert memory.get(b"large 0") is None


def test_what_grows_or_shrinks_is_held_once() -> None:
    memory: Memory[int] = Memory()
    for value, size in enumerate((SIZE, SIZE, LARGE + 1, SIZE)):
        memory.offer(b"a", value, size)
    assert memory.get(b"a") == 3
    memory.offer(b"a", 4, LARGE_BYTES)  # more than is ever remembered
    assert memory.get(b"a") is None


def test_what_comes_again_is_told_from_what_comes_once() -> None:
    seen = Seen(10)
    assert [seen.again(what) for what in (b"a", b"b", b"a", b"a")] == [False, False, True, True]


@given(st.integers(1, 20), st.integers(0, 40), st.integers(0, 60))
@example(10, 0, 10)
@example(10, 9, 10)
@example(10, 0, 20)
def test_it_is_forgotten_after_twice_as_many_others_and_not_after_as_many(
    count: int, before: int, others: int
) -> None:
    seen = Seen(count)
    for number in range(before):
        seen.again(("before", number))
    seen.again("a")
    for number in range(others):
        seen.again(("behind", number))
    if others <= count:
        assert seen.again("a")
    elif others >= 2 * count:
        assert not seen.again("a")

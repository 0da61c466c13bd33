from hypothesis import given
from hypothesis import strategies as st

from gateway.lane.memory import Seen


def test_what_comes_again_is_told_from_what_comes_once() -> None:
    seen = Seen(10)
    assert [seen.again(what) for what in (b"a", b"b", b"a", b"a")] == [False, False, True, True]


@given(st.integers(1, 20), st.integers(0, 60))
def test_it_is_forgotten_after_twice_as_many_others_and_not_before_as_many(
    count: int, others: int
) -> None:
    seen = Seen(count)
    seen.again("a")
    for number in range(others):
        seen.again(number)
    if others < count:
        assert seen.again("a")
    elif others >= 2 * count:
        assert not seen.again("a")

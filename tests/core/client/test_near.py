"""A client's copies: which are kept, until when, and what tells one again."""

import gc
from math import inf

import pytest
from fakes import FakeClock

from cache_core import Answer, Terms, Value
from cache_core.client.near import CELLS, MAX_PROVENANCES, NearCache, NearStats
from cache_core.client.near_copies import Coverage
from cache_core.memory.cache import OVERHEAD
from cache_core.settings import MIB
from cache_core.stats import Cause

FOR_EVER = 1e9


class Copying:
    """A near cache and what covers it."""

    def __init__(self, clock: FakeClock, capacity: int = MIB) -> None:
        self.clock = clock
        self.near = NearCache(capacity, clock)
        self.coverage = Coverage(FOR_EVER)

    def offer(self, key: str, value: Value, *, group: str = "g", replaces: bool = False) -> bool:
        near = self.near
        return near.offer(group, key, value, self.coverage, near.mark, replaces=replaces)


@pytest.fixture
def copying(clock: FakeClock) -> Copying:
    return Copying(clock)


def test_a_copy_is_the_answer_with_what_is_left_of_its_times(copying: Copying) -> None:
    terms = Terms(30, 60, "image/png")
    assert copying.offer("k", Value(b"1", 60, 5, Answer.MISS, "a:1", terms, stored=True))
    copying.clock.tick(4)
    assert copying.near.peek("g", "k") == Value(b"1", 56, 9, Answer.HIT, "a:1", terms)
    assert copying.near.peek("h", "k") is None
    assert copying.near.peek("g", "l") is None


def test_a_copy_ends_when_its_owner_said_and_without_that_it_does_not(copying: Copying) -> None:
    copying.offer("short", Value(b"1", 1))
    copying.offer("lasting", Value(b"1"))
    copying.clock.tick(1)
    assert copying.near.peek("g", "short") is None
    copying.clock.tick(1e6)
    assert copying.near.peek("g", "lasting") == Value(b"1", None, 1e6 + 1, Answer.HIT)


@pytest.mark.parametrize(
    "value",
    [
        Value(b"1", 0.0),
        Value(b"1", -5.0, answer=Answer.STALE),
        Value(b"1", 60, copied=True),
        Value(bytes(MIB // 10 + 1), 60),
    ],
    ids=["ended", "stale", "copied", "large"],
)
def test_what_is_stale_or_another_nodes_or_too_large_is_not_copied(
    copying: Copying, value: Value
) -> None:
    assert not copying.offer("k", value)
    assert copying.near.peek("g", "k") is None


@pytest.mark.parametrize("data", [b"", b"1", b"123"])
def test_one_group_is_not_another(copying: Copying, data: bytes) -> None:
    copying.offer("k", Value(data), group="g")
    copying.offer("k", Value(b"other"), group="h")
    copying.near.remove("h", "k")
    assert copying.near.peek("h", "k") is None
    held = copying.near.peek("g", "k")
    assert held is not None
    assert held.data == data


def fenced_apart_from(key: str) -> str:
    """Return another key that a removal of `key` says nothing about: they share no cell."""
    cell = hash(key) % CELLS
    return next(other for other in map(str, range(100)) if hash(other) % CELLS != cell)


def test_what_was_asked_for_before_a_removal_is_not_copied(copying: Copying) -> None:
    near = copying.near
    before = near.mark
    near.remove("g", "k")
    assert not near.offer("g", "k", Value(b"old"), copying.coverage, before)
    assert near.offer("g", fenced_apart_from("k"), Value(b"1"), copying.coverage, before)
    assert near.offer("g", "k", Value(b"new"), copying.coverage, near.mark)


def test_what_was_asked_for_before_a_flush_is_not_copied_and_all_copies_are_gone(
    copying: Copying,
) -> None:
    near = copying.near
    copying.offer("k", Value(b"1"))
    copying.offer("k", Value(b"1"), group="h")
    before = near.mark
    near.flush("g")
    assert near.peek("g", "k") is None
    assert near.peek("h", "k") is not None
    assert not near.offer("g", "new", Value(b"old"), copying.coverage, before)
    assert copying.offer("k", Value(b"2"))
    assert near.peek("g", "k") == Value(b"2", None, 0, Answer.HIT)


def test_a_coverage_that_is_over_takes_its_copies_along_for_good(copying: Copying) -> None:
    near, clock = copying.near, copying.clock
    copying.coverage = Coverage(clock.now + 3)
    copying.offer("k", Value(b"1"))
    clock.tick(2)
    assert copying.coverage.extend(clock.now + 3, clock.now)
    assert copying.coverage.extend(clock.now + 1, clock.now)  # it promises no less than before
    clock.tick(2.9)
    assert near.peek("g", "k") is not None
    clock.tick(0.1)
    assert near.peek("g", "k") is None
    assert not copying.coverage.extend(clock.now + 3, clock.now)
    assert near.peek("g", "k") is None
    assert not copying.offer("l", Value(b"1"))


def test_ending_a_coverage_leaves_what_others_cover(copying: Copying) -> None:
    one, other = copying.coverage, Coverage(FOR_EVER)
    copying.offer("one", Value(b"1"))
    copying.coverage = other
    copying.offer("other", Value(b"1"))
    copying.near.end(one)
    assert copying.near.peek("g", "one") is None
    assert copying.near.peek("g", "other") is not None


def test_an_answer_that_was_asked_to_be_new_outdoes_what_was_asked_for_before(
    copying: Copying,
) -> None:
    near = copying.near
    before = near.mark
    assert copying.offer("k", Value(b"new"), replaces=True)
    assert not near.offer("g", "k", Value(b"old"), copying.coverage, before)
    assert near.peek("g", "k") == Value(b"new", None, 0, Answer.HIT)
    copying.offer("k", Value(b"stale", -1), replaces=True)
    assert near.peek("g", "k") is None


@pytest.mark.parametrize("late", ["uncovered", "flushed", "removed"])
def test_an_answer_that_was_asked_to_be_new_ends_an_older_copy_though_it_comes_too_late(
    copying: Copying, late: str
) -> None:
    near, others = copying.near, Coverage(FOR_EVER)
    before = near.mark
    if late == "uncovered":
        near.end(copying.coverage)
    elif late == "flushed":
        near.flush("h")
    else:
        near.remove("g", "k")
    assert near.offer("g", "k", Value(b"old"), others, near.mark)
    assert not near.offer("g", "k", Value(b"new"), copying.coverage, before, replaces=True)
    assert near.peek("g", "k") is None


def test_a_copy_held_is_told_again_until_it_is_removed_replaced_or_uncovered(
    copying: Copying,
) -> None:
    near = copying.near
    ends = (
        lambda: near.remove("g", "k"),
        lambda: near.offer("g", "k", Value(bytes([49, 50])), copying.coverage, near.mark),
        lambda: near.flush("g"),
        lambda: near.end(copying.coverage),
    )
    for end in ends:
        copying.coverage = Coverage(FOR_EVER)
        copying.offer("k", Value(b"12"))
        held = near.hold("g", "k")
        assert held is not None
        assert held.touch()
        end()
        assert not held.touch()


@pytest.mark.parametrize("data", [b"", b"1"])
def test_a_copy_that_was_removed_is_not_told_by_the_same_short_bytes(
    copying: Copying, data: bytes
) -> None:
    copying.offer("k", Value(data))
    held = copying.near.hold("g", "k")
    assert held is not None
    copying.near.remove("g", "k")
    copying.offer("k", Value(data))
    assert not held.touch()
    copying.near.remove("g", "k")
    copying.offer("l", Value(data))
    assert not held.touch()


def test_a_copy_is_not_told_by_the_same_bytes_of_another_media_type(copying: Copying) -> None:
    copying.offer("k", Value(b"", terms=Terms(content_type="text/plain")))
    held = copying.near.hold("g", "k")
    assert held is not None
    copying.offer("k", Value(b"", terms=Terms(content_type="text/html")))
    assert not held.touch()


def test_a_copy_held_is_not_told_once_its_coverage_is_over(copying: Copying) -> None:
    copying.coverage = Coverage(copying.clock.now + 3)
    copying.offer("k", Value(b"123"))
    held = copying.near.hold("g", "k")
    assert held is not None
    copying.clock.tick(3)
    assert not held.touch()


def test_nothing_is_held_of_what_there_is_no_copy_of(copying: Copying) -> None:
    assert copying.near.hold("g", "k") is None
    copying.offer("k", Value(b"1"))
    copying.near.flush("g")
    assert copying.near.hold("g", "l") is None


@pytest.mark.parametrize("told", [False, True], ids=["peeked", "told again"])
def test_copies_stay_within_the_budget_and_those_read_stay_longer(
    clock: FakeClock, told: bool
) -> None:
    copying = Copying(clock, 20 * OVERHEAD)
    near = copying.near
    for key in ("0", "unread"):
        copying.offer(key, Value(b"1"))
    held = near.hold("g", "0")
    assert held is not None
    for number in range(1, 1_000):
        assert held.touch() if told else near.peek("g", "0") is not None
        assert copying.offer(str(number), Value(b"1"))
        assert near.stats().bytes <= 20 * OVERHEAD
    assert near.peek("g", "unread") is None


def test_figures_are_those_of_the_group_and_what_is_over_counts_no_more(copying: Copying) -> None:
    near = copying.near
    for key in "abc":
        copying.offer(key, Value(b"1"))
    copying.offer("a", Value(b"longer"))
    copying.offer("a", Value(b"1"), group="h")
    near.peek("g", "a")
    held = near.hold("g", "b")
    assert held is not None
    held.touch()
    each = len("0:a") + 1 + OVERHEAD
    assert near.group_stats() == {
        "g": NearStats(2, 3, 3 * each + 5),
        "h": NearStats(0, 1, each),
    }
    near.remove("g", "b")
    near.flush("h")
    assert near.group_stats() == {"g": NearStats(2, 2, 2 * each + 5), "h": NearStats(0, 0, 0)}
    copying.coverage.until = copying.clock.now
    assert near.group_stats()["g"] == NearStats(2, 0, 0)


def test_what_has_expired_is_freed_in_steps(copying: Copying) -> None:
    for number in range(100):
        copying.offer(str(number), Value(b"1", 5))
    copying.clock.tick(10)
    assert copying.near.sweep(30) == 30
    copying.offer("new", Value(b"1"))
    assert copying.near.stats().removals[Cause.EXPIRED] == 46
    assert copying.near.sweep() == 54
    assert copying.near.group_stats()["g"].entries == 1


def test_more_provenances_than_are_kept_give_all_copies_up(copying: Copying) -> None:
    for number in range(MAX_PROVENANCES):
        copying.offer("k", Value(b"1", terms=Terms(content_type=f"text/{number}")))
    copying.offer("l", Value(b"1", terms=Terms(content_type="text/0")))
    assert copying.near.peek("g", "l") is not None
    copying.offer("m", Value(b"1", terms=Terms(content_type="text/one-more")))
    assert copying.near.peek("g", "l") is None
    assert copying.near.peek("g", "m") is not None


def test_a_copy_is_no_object_to_the_garbage_collector(copying: Copying) -> None:
    copying.offer("first", Value(b"first", inf - 1))
    gc.collect()
    before = len(gc.get_objects())
    for number in range(2_000):
        copying.offer(str(number), Value(b"%d" % number, 60.0, node="a:1"))
    gc.collect()
    assert len(gc.get_objects()) - before < 50

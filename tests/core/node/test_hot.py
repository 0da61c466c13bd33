"""Copies of other nodes' popular entries: which are kept, and until when."""

from math import inf

import pytest
from fakes import FakeClock, FakeSource, group_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cache_core import Answer, Terms, Value
from cache_core.memory.cache import OVERHEAD
from cache_core.memory.eviction import POLICIES
from cache_core.node.hot import POPULAR, HotCache
from cache_core.settings import MIB
from cache_core.stats import Cause


def hot_of(
    clock: FakeClock, *, capacity: int = MIB, ttl: float = 10.0, max_value: int = MIB
) -> HotCache:
    return HotCache(capacity, POLICIES["s3fifo"], max_value=max_value, ttl=ttl, clock=clock)


def ask(hot: HotCache, key: str, times: int = POPULAR) -> None:
    for _ in range(times):
        hot.get(key)


def test_a_copy_is_kept_of_a_key_asked_for_three_times_and_not_of_one_asked_for_less(
    clock: FakeClock,
) -> None:
    hot = hot_of(clock)
    ask(hot, "k", 2)
    hot.offer("k", Value(b"1", 60))
    assert hot.get("k") is None
    hot.offer("k", Value(b"1", 60))
    assert hot.get("k") == Value(b"1", 60, 0, Answer.HIT)


def test_offers_are_no_asking(clock: FakeClock) -> None:
    hot = hot_of(clock)
    for _ in range(10):
        hot.offer("k", Value(b"1"))
    assert hot.get("k") is None


def test_a_copy_says_what_is_left_of_its_owners_ttl_and_how_old_it_is(clock: FakeClock) -> None:
    hot = hot_of(clock, ttl=10)
    ask(hot, "k")
    hot.offer("k", Value(b"1", 60, 5, Answer.MISS, "10.0.0.7:8080"))
    clock.tick(4)
    assert hot.get("k") == Value(b"1", 56, 9, Answer.HIT)


def test_a_copy_of_a_value_without_a_ttl_has_none_and_yet_an_end(clock: FakeClock) -> None:
    hot = hot_of(clock, ttl=10)
    ask(hot, "k")
    hot.offer("k", Value(b"1"))
    clock.tick(9.9)
    assert hot.get("k") == Value(b"1", None, clock.now - 1000.0, Answer.HIT)
    clock.tick(0.1)
    assert hot.get("k") is None


@pytest.mark.parametrize(("owners", "end"), [(3.0, 3), (10.0, 10), (60.0, 10)])
def test_a_copy_ends_with_its_time_or_its_owners_value_whichever_is_sooner(
    clock: FakeClock, owners: float, end: float
) -> None:
    hot = hot_of(clock, ttl=10)
    ask(hot, "k")
    hot.offer("k", Value(b"1", owners))
    clock.tick(end - 0.5)
    assert hot.get("k") is not None
    clock.tick(0.5)
    assert hot.get("k") is None
    assert hot.hits == 1


@pytest.mark.parametrize("ttl", [0.0, -0.1, -60.0])
def test_a_value_that_is_not_fresh_is_not_kept(clock: FakeClock, ttl: float) -> None:
    hot = hot_of(clock)
    ask(hot, "k")
    hot.offer("k", Value(b"1", ttl))
    assert hot.stats().entries == 0


@pytest.mark.parametrize("given", [{"ttl": 0.0}, {"capacity": 0}, {"capacity": OVERHEAD}])
def test_without_time_or_room_nothing_is_ever_kept(
    clock: FakeClock, given: dict[str, float]
) -> None:
    hot = hot_of(clock, **given)  # type: ignore[arg-type] # a capacity is an int
    ask(hot, "k")
    hot.offer("k", Value(b"1"))
    assert hot.get("k") is None
    assert hot.stats().entries == 0


def test_a_value_larger_than_may_be_kept_is_not(clock: FakeClock) -> None:
    hot = hot_of(clock, max_value=100)
    ask(hot, "k")
    hot.offer("k", Value(bytes(101)))
    assert hot.get("k") is None
    assert hot.stats().removals[Cause.REJECTED] == 1


def test_a_newer_copy_takes_the_place_of_an_older_one(clock: FakeClock) -> None:
    hot = hot_of(clock)
    ask(hot, "k")
    hot.offer("k", Value(b"old"))
    hot.offer("k", Value(b"new", 5))
    assert hot.get("k") == Value(b"new", 5, 0, Answer.HIT)


def test_a_copy_has_the_media_type_that_came_with_it(clock: FakeClock) -> None:
    hot = hot_of(clock)
    ask(hot, "k")
    hot.offer("k", Value(b"png", terms=Terms(content_type="image/png")))
    copy = hot.get("k")
    assert copy is not None
    assert copy.terms.content_type == "image/png"


def test_what_is_removed_or_flushed_is_not_answered(clock: FakeClock) -> None:
    hot = hot_of(clock)
    for key in "abc":
        ask(hot, key)
        hot.offer(key, Value(b"1"))
    assert hot.remove("a")
    assert not hot.remove("a")
    assert [hot.get(key) is None for key in "abc"] == [True, False, False]
    hot.flush()
    assert [hot.get(key) for key in "abc"] == [None, None, None]


def test_hits_count_the_gets_that_were_answered(clock: FakeClock) -> None:
    hot = hot_of(clock)
    ask(hot, "k")
    hot.offer("k", Value(b"1"))
    ask(hot, "k", 4)
    ask(hot, "other", 4)
    assert hot.hits == 4


def test_copies_that_ended_are_freed_without_another_access(clock: FakeClock) -> None:
    hot = hot_of(clock, ttl=10)
    for key in "abc":
        ask(hot, key)
        hot.offer(key, Value(b"1"))
    clock.tick(12)
    assert hot.sweep() == 3
    assert (hot.stats().entries, hot.stats().bytes) == (0, 0)


keys = st.sampled_from("abcdef")


class HotMachine(RuleBasedStateMachine):
    """A hot cache, all keys popular, beside a dict of the last copies it was offered."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.copies: dict[str, tuple[Value, float]] = {}

    @initialize(ttl=st.floats(0, 15))
    def start(self, ttl: float) -> None:
        self.ttl = ttl
        self.hot = hot_of(self.clock, capacity=5 * (OVERHEAD + 100), ttl=ttl)
        for key in "abcdef":
            ask(self.hot, key)

    @rule(by=st.floats(0, 8))
    def time_passes(self, by: float) -> None:
        self.clock.tick(by)

    @rule(
        key=keys, ttl=st.none() | st.floats(-1, 20), age=st.floats(0, 1e6), size=st.integers(0, 500)
    )
    def offer(self, key: str, ttl: float | None, age: float, size: int) -> None:
        value = Value(bytes(size), ttl, age)
        self.hot.offer(key, value)
        if ttl is None or ttl > 0:
            self.copies[key] = value, self.clock.now

    @rule(key=keys)
    def a_copy_is_answered_as_it_came_and_never_past_its_end(self, key: str) -> None:
        value = self.hot.get(key)
        if value is None:
            return
        offered, at = self.copies[key]
        passed = self.clock.now - at
        assert value.data is offered.data
        assert self.clock.now < at + min(self.ttl, inf if offered.ttl is None else offered.ttl)
        left = None if offered.ttl is None else pytest.approx(offered.ttl - passed)
        assert value.ttl == left
        assert value.age == pytest.approx(offered.age + passed)

    @rule(key=keys)
    def remove(self, key: str) -> None:
        self.hot.remove(key)
        self.copies.pop(key, None)

    @rule()
    def flush(self) -> None:
        self.hot.flush()
        self.copies.clear()

    @rule()
    def sweep(self) -> None:
        self.hot.sweep()

    @invariant()
    def what_is_held_keeps_within_the_capacity(self) -> None:
        stats = self.hot.stats()
        assert stats.bytes <= stats.capacity


def test_at_every_step_a_copy_is_answered_as_it_came_and_never_past_its_end() -> None:
    run_state_machine_as_test(
        HotMachine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None)
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers(0, 3000)), max_size=80),
    st.floats(0, 0.99),
    st.sampled_from(list(POLICIES)),
)
def test_a_group_and_its_copies_never_exceed_the_groups_budget(
    puts: list[tuple[bool, int, int]], share: float, policy: str
) -> None:
    clock = FakeClock()
    limits = {"capacity": 20_000, "policy": policy, "negative_ttl": 5, "stale_if_error": 5}
    group = group_of(FakeSource(), clock, **limits)
    capacity = group.reserve(share)
    hot = HotCache(capacity, POLICIES[policy], max_value=2000, ttl=10, clock=clock)
    for own, number, size in puts:
        key, value = f"{number}", Value(bytes(size))
        if own:
            group.put(key, value)
        else:
            ask(hot, key)
            hot.offer(key, value)
        stats = group.stats()
        assert stats.cache.bytes + stats.negatives.capacity + hot.stats().bytes <= 20_000

"""What a group gives to another node, and what it takes over from one."""

import asyncio
from itertools import chain, islice

import pytest
from fakes import FakeClock, FakeSource, group_of
from hypothesis import given, settings
from hypothesis import strategies as st

from cache_core import Answer, Group, NotFound, Value
from cache_core.memory.cache import OVERHEAD, SCAN_STEP
from cache_core.settings import MIB


def wanted(_key: str) -> bool:
    return True


def handed(group: Group, limit: int = MIB) -> list[str]:
    """The keys that a group gives away, in their order."""
    return [key for key, _ in chain.from_iterable(group.hottest(limit, wanted))]


async def test_an_entry_taken_over_keeps_its_ttl_and_its_age(clock: FakeClock) -> None:
    source = FakeSource()
    group = group_of(source, clock, ttl=60, jitter=0.5)
    assert group.put("k", Value(b"1", 20, 40, Answer.HIT, "10.0.0.7:8080"))
    clock.tick(5)
    assert await group.get("k") == Value(b"1", 15, 45, Answer.HIT)
    assert group.peek("k") == Value(b"1", 15, 45, Answer.HIT)
    assert source.lookups == []


async def test_an_entry_taken_over_without_a_ttl_is_fresh_for_ever(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock)
    assert group.put("k", Value(b"1", None, 40))
    clock.tick(1e9)
    assert await group.get("k") == Value(b"1", None, 1e9 + 40, Answer.HIT)


async def test_an_entry_taken_over_has_the_groups_grace_past_its_ttl(clock: FakeClock) -> None:
    source = FakeSource()
    group = group_of(source, clock, ttl=60, stale_if_error=100)
    group.put("k", Value(b"1", 20))
    source.error = ConnectionRefusedError()
    clock.tick(119)
    assert (await group.get("k")).answer is Answer.STALE_ERROR
    clock.tick(3)
    group.sweep()
    assert group.stats().cache.entries == 0


@pytest.mark.parametrize("ttl", [0.0, -0.1, -1e9])
def test_a_value_that_is_not_fresh_is_not_taken_over(clock: FakeClock, ttl: float) -> None:
    group = group_of(FakeSource(), clock, stale_if_error=600)
    assert not group.put("k", Value(b"1", ttl))
    assert group.stats().cache.entries == 0


@pytest.mark.parametrize("age", [0, 15])
async def test_what_is_held_fresh_or_stale_is_not_replaced(clock: FakeClock, age: float) -> None:
    group = group_of(FakeSource({"k": b"own"}), clock, ttl=10, stale_while_revalidate=30)
    await group.get("k")
    clock.tick(age)
    assert not group.put("k", Value(b"handed", 10))
    assert (await group.get("k")).data == b"own"


async def test_what_has_expired_is_replaced_though_it_was_not_yet_freed(clock: FakeClock) -> None:
    group = group_of(FakeSource({"k": b"own"}), clock, ttl=10)
    await group.get("k")
    clock.tick(10)
    assert group.put("k", Value(b"handed", 10))
    assert (await group.get("k")).data == b"handed"


async def test_a_key_known_to_be_missing_is_not_taken_over_until_that_is_forgotten(
    clock: FakeClock,
) -> None:
    group = group_of(FakeSource(), clock, negative_ttl=5)
    with pytest.raises(NotFound):
        await group.get("k")
    assert not group.put("k", Value(b"1"))
    assert group.stats().negative_hits == 0
    clock.tick(5)
    assert group.put("k", Value(b"1"))
    assert (await group.get("k")).data == b"1"


async def test_a_key_that_is_being_loaded_is_not_taken_over(clock: FakeClock) -> None:
    source = FakeSource({"k": b"own"})
    group = group_of(source, clock)
    source.gate.clear()
    loading = asyncio.create_task(group.get("k"))
    await source.asked.wait()
    assert not group.put("k", Value(b"handed"))
    source.gate.set()
    assert (await loading).data == b"own"
    assert (await group.get("k")).data == b"own"


def test_a_value_larger_than_the_group_keeps_is_not_taken_over(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock, max_value=100)
    assert not group.put("k", Value(bytes(101)))
    assert group.put("k", Value(bytes(100)))


def test_an_empty_key_is_not_taken_over(clock: FakeClock) -> None:
    assert not group_of(FakeSource(), clock).put("", Value(b"1"))


@pytest.mark.parametrize("policy", ["s3fifo", "lru", "lfu"])
def test_the_entries_read_most_are_given_first(clock: FakeClock, policy: str) -> None:
    group = group_of(FakeSource(), clock, policy=policy)
    for key in "abcd":
        group.put(key, Value(b"1"))
    for times, key in enumerate("cadb"):
        for _ in range(times):
            group.peek(key)
    assert handed(group) == ["b", "d", "a", "c"]


def test_what_is_given_says_its_ttl_and_age_at_that_moment(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock)
    group.put("k", Value(b"1", 60, 3))
    clock.tick(10)
    (given_away,) = chain.from_iterable(group.hottest(MIB, wanted))
    assert given_away == ("k", Value(b"1", 50, 13, Answer.HIT))


def test_only_fresh_entries_that_are_wanted_are_given(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock, stale_if_error=600)
    group.put("stale", Value(b"1", 5))
    group.put("fresh", Value(b"1", 60))
    group.put("unwanted", Value(b"1", 60))
    clock.tick(6)
    found = chain.from_iterable(group.hottest(MIB, "unwanted".__ne__))
    assert [key for key, _ in found] == ["fresh"]


def test_no_more_is_given_than_the_limit_in_bytes_with_what_an_entry_costs(
    clock: FakeClock,
) -> None:
    group = group_of(FakeSource(), clock)
    for number in range(10):
        group.put(f"é{number}", Value(bytes(7)))
    assert len(handed(group, (10 + OVERHEAD) * 5)) == 5
    assert len(handed(group, (10 + OVERHEAD) * 5 - 1)) == 4
    assert handed(group, 0) == []


def test_giving_entries_away_is_no_hit_and_leaves_them_held(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock)
    group.put("k", Value(b"1"))
    assert handed(group) == handed(group) == ["k"]
    assert group.stats().hits == 0


@pytest.mark.parametrize("steps_before", range(8))
def test_an_entry_that_becomes_hot_while_others_are_given_is_given_once(
    clock: FakeClock, steps_before: int
) -> None:
    group = group_of(FakeSource(), clock)
    group.put("k", Value(b"1"))
    steps = group.hottest(MIB, wanted)
    found = list(chain.from_iterable(islice(steps, steps_before)))
    for _ in range(3):
        group.peek("k")
    found.extend(chain.from_iterable(steps))
    assert [key for key, _ in found] == ["k"]


def test_each_step_looks_at_a_bounded_number_of_entries(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock)
    for number in range(5 * SCAN_STEP):
        group.put(f"{number}", Value(b""))
    asked = 0

    def unwanted(_key: str) -> bool:
        nonlocal asked
        asked += 1
        return False

    before = 0
    for step in group.hottest(MIB, unwanted):
        assert step == []
        assert asked - before <= SCAN_STEP
        before = asked
    assert asked == 5 * SCAN_STEP


changes = st.lists(
    st.tuples(st.sampled_from(["put", "remove", "peek", "flush", "tick"]), st.integers(0, 2500)),
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(changes, max_size=12))
def test_a_group_that_changes_between_two_steps_gives_what_it_holds_right_then(
    between: list[list[tuple[str, int]]],
) -> None:
    clock = FakeClock()
    group = group_of(FakeSource(), clock, capacity="1MiB")
    for number in range(2000):
        group.put(f"{number}", Value(b"%d" % number, 20))
    gaps = iter(between)
    for step in group.hottest(MIB, wanted):
        for key, value in step:
            assert group.peek(key) == value
        for change, number in next(gaps, []):
            match change:
                case "put":
                    group.put(f"{number}", Value(b"new", 10))
                case "remove":
                    group.remove(f"{number}")
                case "peek":
                    group.peek(f"{number}")
                case "flush":
                    group.flush()
                    group.sweep()
                case "tick":
                    clock.tick(number / 250)

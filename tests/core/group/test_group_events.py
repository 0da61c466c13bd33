"""Which events a group's hooks are told of, and what its figures count."""

import asyncio
from collections.abc import Collection

import pytest
from fakes import FakeClock, FakeSource, group_of, settled

from cache_core import Answer, Overloaded, RetrieverFailed
from cache_core.events import Event, Hit, Miss


class WithoutHits:
    """A hook that passes over hits, and notes all that it is told."""

    passes_over: Collection[type[Event]] = frozenset({Hit})

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)


async def test_a_hook_is_told_of_what_is_peeked_as_of_what_is_got(clock: FakeClock) -> None:
    events: list[Event] = []
    group = group_of(FakeSource({"k": b"1"}), clock)
    await group.get("k")
    group.observe(events.append)
    assert group.peek("none") is None
    assert group.peek("k") is not None
    await group.get("k")
    assert events == [Hit("g", "k")] * 2
    assert group.stats().hits == 2


async def test_a_hook_that_passes_over_hits_is_told_of_all_else(clock: FakeClock) -> None:
    hook, group = WithoutHits(), group_of(FakeSource({"k": b"1"}), clock)
    group.observe(hook)
    for _ in range(2):
        await group.get("k")
        group.peek("k")
    assert hook.events[0] == Miss("g", "k", Answer.MISS)
    assert Hit not in map(type, hook.events)


async def test_what_is_about_to_expire_is_not_answered_by_a_peek(clock: FakeClock) -> None:
    group = group_of(FakeSource({"k": b"1"}), clock, ttl=60, refresh_ahead=10)
    await group.get("k")
    clock.tick(49.9)
    assert group.peek("k") is not None
    clock.tick(0.2)
    assert group.peek("k") is None


async def test_a_stale_hit_while_the_source_is_well_is_no_stale_error(clock: FakeClock) -> None:
    group = group_of(FakeSource({"k": b"1"}), clock, ttl=10, stale_while_revalidate=600)
    await group.get("k")
    clock.tick(11)
    await group.get("k")
    await settled()
    stats = group.stats()
    assert (stats.stale_hits, stats.stale_errors, stats.load_errors) == (1, 0, 0)


async def test_overloads_and_errors_of_the_source_are_counted_apart(clock: FakeClock) -> None:
    source = FakeSource()
    group = group_of(source, clock, load_concurrency=1, load_queue=0)
    source.gate.clear()
    source.error = ValueError()
    loading = asyncio.create_task(group.get("one"))
    await settled()
    for _ in range(2):
        with pytest.raises(Overloaded):
            await group.get("other")
    source.gate.set()
    with pytest.raises(RetrieverFailed):
        await loading
    stats = group.stats()
    assert (stats.misses, stats.loads, stats.load_errors, stats.overloads) == (3, 1, 1, 2)


async def test_a_group_that_is_emptied_has_no_bytes_left(clock: FakeClock) -> None:
    source = FakeSource({str(number): b"x" * number for number in range(100)})
    group = group_of(source, clock, ttl=60)
    for key in source.values:
        await group.get(key)
    stats = group.stats().cache
    assert stats.entries == 100
    assert stats.bytes > sum(len(key) + len(data) for key, data in source.values.items())
    for number in range(50):
        assert group.remove(str(number))
    clock.tick(62)
    assert group.sweep() == 50
    stats = group.stats().cache
    assert (stats.entries, stats.bytes) == (0, 0)
    assert sum(stats.removals.values()) == 100

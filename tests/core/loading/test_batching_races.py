"""Batches whose keys come, go and come again while they wait."""

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import ContextVar

import pytest
from fakes import BatchSource, FakeClock, group_of, settled

from cache_core import Demand, Group, Overloaded, RetrieverFailed, SourceUnavailable, Value
from cache_core.loading.batching import MAX_KEYS

caller: ContextVar[str] = ContextVar("caller", default="nobody")


@pytest.fixture
def source() -> BatchSource:
    return BatchSource({str(number): b"%d" % number for number in range(10)})


async def waiting(group: Group, *keys: str) -> list[asyncio.Task[Value]]:
    """Return gets of `keys` that have begun, one after the other."""
    gets = []
    for key in keys:
        gets.append(asyncio.create_task(group.get(key)))
        await settled()
    return gets


async def together(group: Group, *keys: str) -> list[asyncio.Task[Value]]:
    """Return gets of `keys` that have begun in one turn."""
    gets = [asyncio.create_task(group.get(key)) for key in keys]
    await settled()
    return gets


async def test_who_comes_after_the_last_gave_up_is_in_another_batch(
    source: BatchSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, load_concurrency=1)
    source.gate.clear()
    first, leaver = await waiting(group, "0", "1")
    leaver.cancel()
    later = await waiting(group, "2", "1")
    source.gate.set()
    async with asyncio.timeout(5):
        assert [value.data for value in await asyncio.gather(*later)] == [b"2", b"1"]
    await first
    assert source.batches == [["0"], ["2", "1"]]


@pytest.mark.parametrize("leaver", [0, 1])
async def test_of_two_who_wait_for_a_key_of_a_batch_one_may_give_up(
    source: BatchSource, clock: FakeClock, leaver: int
) -> None:
    group = group_of(source, clock, load_concurrency=1)
    source.gate.clear()
    (first,) = await waiting(group, "0")
    gets = await waiting(group, "1")
    group.remove("1")
    gets += await waiting(group, "1", "2")
    gets[leaver].cancel()
    await settled()
    source.gate.set()
    others = [get for get in gets if get is not gets[leaver]]
    assert [value.data for value in await asyncio.gather(first, *others)] == [b"0", b"1", b"2"]
    assert source.batches == [["0"], ["1", "2"]]


async def test_a_key_that_two_loads_wait_for_counts_as_two(
    source: BatchSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, load_concurrency=1)
    source.gate.clear()
    gets = await waiting(group, "0", "1")
    group.remove("1")
    gets += await waiting(group, "1")
    source.gate.set()
    await asyncio.gather(*gets)
    assert group.stats().loads == 3


async def test_a_batch_that_is_refused_takes_no_later_keys(
    source: BatchSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, load_concurrency=1, load_queue=0, client_reload=True)
    await group.get("0")
    source.gate.clear()
    one = asyncio.create_task(group.get("1"))
    other = asyncio.create_task(group.get("0", Demand.NEW))
    with pytest.raises(Overloaded):
        await other
    source.gate.set()
    await one
    async with asyncio.timeout(5):
        assert (await group.get("0", Demand.NEW)).data == b"0"


async def test_keys_that_a_free_place_takes_together_need_no_queue(
    source: BatchSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, load_concurrency=1, load_queue=0)
    await asyncio.gather(*(group.get(key) for key in source.values))
    assert source.batches == [list(source.values)]


async def test_a_place_is_free_again_whatever_came_of_the_batch(
    source: BatchSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, load_concurrency=1, load_queue=0)
    await group.get("0")
    source.error = ValueError()
    with pytest.raises(RetrieverFailed):
        await group.get("1")
    source.error = None
    source.gate.clear()
    (leaver,) = await waiting(group, "2")
    leaver.cancel()
    await settled()
    source.gate.set()
    assert (await group.get("3")).data == b"3"


async def test_a_look_up_for_many_is_no_part_of_what_any_one_caller_does(
    clock: FakeClock,
) -> None:
    seen: list[str] = []

    class Looking(BatchSource):
        async def retrieve_many(
            self, keys: Sequence[str]
        ) -> Mapping[str, bytes | Value | RetrieverFailed]:
            seen.append(caller.get())
            return dict.fromkeys(keys, b"")

    caller.set("a get")
    await group_of(Looking(), clock).get("k")
    assert seen == ["nobody"]


async def test_values_without_a_version_are_refreshed_together(clock: FakeClock) -> None:
    class Refreshing(BatchSource):
        async def refresh(self, key: str, held: Value) -> Value:
            self.lookups.append(key)
            return held._replace(ttl=None, age=0.0)

    source = Refreshing({"a": b"1", "b": b"2", "versioned": Value(b"3", version='"1"')})
    group = group_of(source, clock, ttl=60)
    for _ in range(2):
        await asyncio.gather(*(group.get(key) for key in source.values))
        clock.tick(61)
    assert source.batches == [["a", "b", "versioned"], ["a", "b"]]
    assert source.lookups == ["versioned"]


async def test_who_gives_up_a_key_that_is_being_asked_for_frees_no_place_of_one_that_waits(
    source: BatchSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, load_concurrency=1, load_queue=1)
    source.gate.clear()
    first, leaver = await together(group, "0", "1")
    group.remove("1")
    (later,) = await waiting(group, "1")
    leaver.cancel()
    await settled()
    with pytest.raises(Overloaded):
        await group.get("2")
    source.gate.set()
    assert [value.data for value in await asyncio.gather(first, later)] == [b"0", b"1"]


async def test_a_full_batch_that_begins_leaves_the_next_one_open(
    source: BatchSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, load_concurrency=1, load_queue=2 * MAX_KEYS)
    source.values = {str(number): b"" for number in range(MAX_KEYS + 3)}
    first, *keys, early, late = source.values
    source.gate.clear()
    gets = await waiting(group, first)
    gets += await together(group, *keys, early)
    source.gate.set()
    source.gate.clear()
    while len(source.batches) < 2:
        await settled()
    gets += await waiting(group, late)
    source.gate.set()
    await asyncio.gather(*gets)
    assert source.batches == [[first], keys, [early, late]]


@pytest.mark.parametrize("demand", [Demand.ANY, Demand.NEW])
async def test_a_source_is_closed_once_a_look_up_that_ends_with_it_has_tidied_up(
    clock: FakeClock, demand: Demand
) -> None:
    order: list[str] = []

    class Tidying(BatchSource):
        async def retrieve_many(
            self, keys: Sequence[str]
        ) -> Mapping[str, bytes | Value | RetrieverFailed]:
            try:
                return await super().retrieve_many(keys)
            except asyncio.CancelledError:
                await settled()
                order.append("ended")
                raise

        async def aclose(self) -> None:
            order.append("closed")

    source = Tidying({"0": b"0", "1": b"1"})
    group = group_of(source, clock, client_reload=True)
    await group.get("0")
    source.gate.clear()
    asking = asyncio.create_task(group.get("0" if demand is Demand.NEW else "1", demand))
    await settled()
    await group.aclose()
    with pytest.raises(SourceUnavailable):
        await asking
    assert order == ["ended", "closed"]


async def test_who_gives_up_while_its_key_waits_leaves_its_place_to_another(
    source: BatchSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, load_concurrency=1, load_queue=1)
    source.gate.clear()
    (first,) = await waiting(group, "0")
    for key in ("1", "2"):
        (leaver,) = await waiting(group, key)
        leaver.cancel()
        await settled()
    (last,) = await waiting(group, "3")
    source.gate.set()
    assert [value.data for value in await asyncio.gather(first, last)] == [b"0", b"3"]

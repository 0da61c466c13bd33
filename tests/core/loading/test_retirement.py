"""A source that another has taken the place of: it is let go of once its loads have ended."""

import asyncio

import pytest
from fakes import BatchSource, FakeClock, FakeSource, group_of, settled

from cache_core import Group, RetrieverFailed, SourceUnavailable

SOURCES = pytest.mark.parametrize("source_type", [FakeSource, BatchSource])


async def loading_tom(source: FakeSource, group: Group) -> asyncio.Task[bytes]:
    """Return a load of `Tom` that waits for the source."""

    async def data() -> bytes:
        return (await group.get("Tom")).data

    source.gate.clear()
    loading = asyncio.create_task(data())
    await settled()
    return loading


@SOURCES
@pytest.mark.timeout(20)
async def test_it_serves_its_last_load_though_others_ended_before(
    source_type: type[FakeSource], clock: FakeClock
) -> None:
    source = source_type({"Tom": b"630", "Jack": b"589"})
    group = group_of(source, clock)
    await group.get("Jack")
    loading = await loading_tom(source, group)
    retiring = asyncio.ensure_future(group.follow(group_of(FakeSource(), clock)))
    await settled()
    assert not source.closed
    source.gate.set()
    assert await loading == b"630"
    await retiring
    assert source.closed


@SOURCES
async def test_it_is_closed_though_loads_of_it_have_failed(
    source_type: type[FakeSource], clock: FakeClock
) -> None:
    source = source_type({"Tom": b"630"})
    group = group_of(source, clock)
    source.error = ValueError()
    with pytest.raises(RetrieverFailed):
        await group.get("Tom")
    async with asyncio.timeout(5):
        await group.follow(group_of(FakeSource(), clock))
    assert source.closed


@SOURCES
async def test_it_is_closed_though_nobody_waits_for_its_loads_to_end(
    source_type: type[FakeSource], clock: FakeClock
) -> None:
    source = source_type({"Tom": b"630"})
    group = group_of(source, clock)
    loading = await loading_tom(source, group)
    retiring = asyncio.ensure_future(group.follow(group_of(FakeSource(), clock)))
    await settled()
    retiring.cancel()
    await asyncio.gather(retiring, return_exceptions=True)
    assert source.closed
    await group.aclose()
    with pytest.raises(SourceUnavailable):
        await loading


async def test_who_waits_for_a_look_up_for_many_that_is_ended_with_it_is_told_so(
    clock: FakeClock,
) -> None:
    source = BatchSource({"Tom": b"630"})
    group = group_of(source, clock)
    loading = await loading_tom(source, group)
    retiring = asyncio.ensure_future(group.follow(group_of(FakeSource(), clock)))
    await settled()
    retiring.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(SourceUnavailable, match="the load of group g was ended"):
            await loading
    assert source.cancelled == ["Tom"]

"""Misses put together for sources that take many keys at once."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from fakes import BatchSource, FakeClock, FakeSource, settled

from cache_core import (
    Group,
    GroupSettings,
    NotFound,
    Overloaded,
    RetrieverFailed,
    SourceUnavailable,
    Value,
)
from cache_core.loading.batching import MAX_KEYS


@pytest.fixture
def source() -> BatchSource:
    return BatchSource({str(number): f"{number}".encode() for number in range(2 * MAX_KEYS)})


def group_of(source: FakeSource, clock: FakeClock | None = None, **settings: object) -> Group:
    given = GroupSettings.model_validate({"jitter": 0, **settings})
    return Group("g", source, given) if clock is None else Group("g", source, given, clock=clock)


async def get_all(group: Group, keys: Sequence[str]) -> list[bytes]:
    return [value.data for value in await asyncio.gather(*map(group.get, keys))]


async def test_a_hundred_misses_of_one_turn_are_one_look_up(source: BatchSource) -> None:
    group = group_of(source, load_concurrency=1)
    keys = [str(number) for number in range(100)]
    assert await get_all(group, keys) == [key.encode() for key in keys]
    assert source.batches == [keys]
    assert source.lookups == []
    assert group.stats().loads == 100
    assert await get_all(group, keys) == [key.encode() for key in keys]
    assert source.batches == [keys]


async def test_misses_that_find_no_place_wait_together(source: BatchSource) -> None:
    group = group_of(source, load_concurrency=1)
    source.gate.clear()
    first = asyncio.create_task(group.get("0"))
    await settled()
    later = []
    for key in ("1", "2", "3"):
        later.append(asyncio.create_task(group.get(key)))
        await settled()
    assert source.batches == [["0"]]
    source.gate.set()
    assert [value.data for value in await asyncio.gather(first, *later)] == [b"0", b"1", b"2", b"3"]
    assert source.batches == [["0"], ["1", "2", "3"]]


async def test_a_key_that_is_left_out_is_not_found(source: BatchSource) -> None:
    group = group_of(source)
    found = await asyncio.gather(group.get("1"), group.get("no"), return_exceptions=True)
    assert isinstance(found[0], Value)
    assert isinstance(found[1], NotFound)
    assert source.batches == [["1", "no"]]


async def test_an_error_in_a_values_place_is_that_keys_alone(source: BatchSource) -> None:
    source.errors["2"] = RetrieverFailed("that one is broken")
    group = group_of(source)
    found = await asyncio.gather(group.get("1"), group.get("2"), return_exceptions=True)
    assert isinstance(found[0], Value)
    assert isinstance(found[1], RetrieverFailed)
    assert str(found[1]) == "that one is broken"


@pytest.mark.parametrize(
    ("raised", "kind"), [(ConnectionError(), SourceUnavailable), (ValueError(), RetrieverFailed)]
)
async def test_what_a_look_up_raises_is_every_keys(
    source: BatchSource, raised: Exception, kind: type[Exception]
) -> None:
    source.error = raised
    group = group_of(source)
    found = await asyncio.gather(group.get("1"), group.get("2"), return_exceptions=True)
    assert [type(error) for error in found] == [kind, kind]
    assert found[0] is not found[1]
    source.error = None
    assert await get_all(group, ["1", "2"]) == [b"1", b"2"]


async def test_a_look_up_that_returns_no_mapping_fails() -> None:
    class Wrong(BatchSource):
        async def retrieve_many(  # type: ignore[override]
            self, keys: Sequence[str]
        ) -> list[str]:
            return list(keys)

    with pytest.raises(RetrieverFailed, match="group g returned list, not a mapping"):
        await group_of(Wrong()).get("1")


async def test_a_look_up_that_hangs_ends_with_the_load_timeout(source: BatchSource) -> None:
    source.gate.clear()
    group = group_of(source, load_timeout=0.01)
    found = await asyncio.gather(group.get("1"), group.get("2"), return_exceptions=True)
    assert [str(error) for error in found] == ["the source of group g gave no answer in 0.01 s"] * 2
    assert source.cancelled == ["1", "2"]


async def test_one_who_gives_up_harms_no_other(source: BatchSource) -> None:
    group = group_of(source)
    source.gate.clear()
    one, other = (asyncio.create_task(group.get(key)) for key in ("1", "2"))
    await source.asked.wait()
    one.cancel()
    await settled()
    assert source.cancelled == []
    source.gate.set()
    assert (await other).data == b"2"


async def test_the_look_up_ends_when_the_last_who_waits_gives_up(source: BatchSource) -> None:
    group = group_of(source, load_concurrency=1)
    source.gate.clear()
    gets = [asyncio.create_task(group.get(key)) for key in ("1", "2")]
    await source.asked.wait()
    for get in gets:
        get.cancel()
    await settled()
    assert source.cancelled == ["1", "2"]
    source.gate.set()
    assert (await group.get("3")).data == b"3"


async def test_a_group_that_is_closed_lets_go_of_its_source_once_the_look_up_has_ended(
    source: BatchSource,
) -> None:
    closed_while_asking = []

    class Lingering(BatchSource):
        async def retrieve_many(
            self, keys: Sequence[str]
        ) -> Mapping[str, bytes | Value | RetrieverFailed]:
            try:
                return await super().retrieve_many(keys)
            finally:
                await settled()
                closed_while_asking.append(self.closed)

    lingering = Lingering(source.values)
    lingering.gate.clear()
    group = group_of(lingering)
    get = asyncio.create_task(group.get("1"))
    await lingering.asked.wait()
    await group.aclose()
    assert closed_while_asking == [False]
    assert lingering.closed
    with pytest.raises(SourceUnavailable):
        await get


async def test_keys_nobody_waits_for_any_more_are_not_asked_for(source: BatchSource) -> None:
    group = group_of(source, load_concurrency=1)
    source.gate.clear()
    first = asyncio.create_task(group.get("0"))
    await settled()
    one, other = (asyncio.create_task(group.get(key)) for key in ("1", "2"))
    await settled()
    one.cancel()
    await settled()
    source.gate.set()
    await asyncio.gather(first, other)
    assert source.batches == [["0"], ["2"]]


async def test_a_queue_that_is_full_refuses_keys(source: BatchSource) -> None:
    group = group_of(source, load_concurrency=1, load_queue=2)
    source.gate.clear()
    first = asyncio.create_task(group.get("0"))
    await settled()
    waiting = [asyncio.create_task(group.get(key)) for key in ("1", "2")]
    await settled()
    with pytest.raises(Overloaded, match="group g has 3 loads under way, try later"):
        await group.get("3")
    source.gate.set()
    await asyncio.gather(first, *waiting)
    assert group.stats().overloads == 1


async def test_a_batch_has_a_most(source: BatchSource) -> None:
    group = group_of(source, load_concurrency=4, load_queue=4 * MAX_KEYS)
    keys = [str(number) for number in range(MAX_KEYS + 1)]
    await get_all(group, keys)
    assert [len(batch) for batch in source.batches] == [MAX_KEYS, 1]


async def test_a_key_removed_while_it_waits_is_loaded_for_all_who_ask_but_held_once(
    source: BatchSource,
) -> None:
    group = group_of(source, load_concurrency=1)
    source.gate.clear()
    first = asyncio.create_task(group.get("0"))
    await settled()
    before = asyncio.create_task(group.get("1"))
    await settled()
    group.remove("1")
    after = asyncio.create_task(group.get("1"))
    await settled()
    source.gate.set()
    assert [value.data for value in await asyncio.gather(first, before, after)] == [
        b"0",
        b"1",
        b"1",
    ]
    assert source.batches == [["0"], ["1"]]


async def test_a_key_removed_while_it_is_looked_up_is_looked_up_again(source: BatchSource) -> None:
    group = group_of(source)
    source.gate.clear()
    before = asyncio.create_task(group.get("1"))
    await settled()
    group.remove("1")
    source.values["1"] = b"new"
    after = asyncio.create_task(group.get("1"))
    await settled()
    source.gate.set()
    await asyncio.gather(before, after)
    assert source.batches == [["1"], ["1"]]
    assert (await group.get("1")).data == b"new"


async def test_stale_values_are_refreshed_together(source: BatchSource, clock: FakeClock) -> None:
    group = group_of(source, clock, ttl=60, stale_while_revalidate=600)
    await get_all(group, ["1", "2", "3"])
    clock.tick(61)
    await get_all(group, ["1", "2", "3"])
    await settled()
    assert source.batches == [["1", "2", "3"]] * 2


async def test_a_look_up_may_ask_its_own_group_for_other_keys() -> None:
    class Sums(BatchSource):
        async def retrieve(self, key: str) -> bytes:
            if int(key) < 2:
                return key.encode()
            one, other = await get_all(group, [str(int(key) - 1), str(int(key) - 2)])
            return b"%d" % (int(one) + int(other))

        async def retrieve_many(
            self, keys: Sequence[str]
        ) -> Mapping[str, bytes | Value | RetrieverFailed]:
            return {key: await self.retrieve(key) for key in keys}

    group = group_of(Sums(), load_concurrency=1, load_queue=1)
    async with asyncio.timeout(5):
        assert await get_all(group, ["20"]) == [b"6765"]

"""Loads within limits, and loads inside loads."""

import asyncio

import pytest
from fakes import FakeClock, FakeSource, settled

from cache_core import Group, GroupSettings, Overloaded, RetrieverFailed


async def test_loads_run_within_the_concurrency_and_wait_within_the_queue() -> None:
    source = FakeSource({str(number): b"" for number in range(10)})
    group = Group("g", source, GroupSettings(load_concurrency=2, load_queue=3))
    source.gate.clear()
    gets = [asyncio.create_task(group.get(str(number))) for number in range(5)]
    await settled()
    assert source.lookups == ["0", "1"]
    for number in (5, 6):
        with pytest.raises(Overloaded, match="group g has 5 loads under way") as caught:
            await group.get(str(number))
        assert caught.value.retry_after == 1.0
    joiner = asyncio.create_task(group.get("4"))
    source.gate.set()
    await asyncio.gather(*gets, joiner)
    assert sorted(source.lookups) == ["0", "1", "2", "3", "4"]
    assert (await group.get("5")).data == b""
    assert group.stats().overloads == 2


async def test_a_cancelled_wait_gives_its_place_back() -> None:
    source = FakeSource({str(number): b"" for number in range(10)})
    group = Group("g", source, GroupSettings(load_concurrency=1, load_queue=1))
    source.gate.clear()
    gets = [asyncio.create_task(group.get(str(number))) for number in range(2)]
    await settled()
    for get in gets:
        get.cancel()
    await asyncio.gather(*gets, return_exceptions=True)
    await settled()
    source.gate.set()
    assert (await group.get("7")).data == b""


async def test_a_loader_may_ask_its_own_group_for_other_keys() -> None:
    lookups: list[str] = []

    async def add(key: str) -> bytes:
        lookups.append(key)
        if int(key) < 2:
            return key.encode()
        parts = await asyncio.gather(group.get(str(int(key) - 1)), group.get(str(int(key) - 2)))
        return b"%d" % sum(int(part.data) for part in parts)

    group = Group("fibonacci", add, GroupSettings(load_concurrency=1, load_queue=0))
    async with asyncio.timeout(5):
        assert (await group.get("20")).data == b"6765"
    assert sorted(lookups, key=int) == [str(number) for number in range(21)]


async def test_a_loader_that_asks_for_the_key_it_loads_is_told_so() -> None:
    async def ask_itself(key: str) -> bytes:
        return (await group.get(key)).data

    async def ask_round(key: str) -> bytes:
        return (await round_.get({"a": "b", "b": "a"}[key])).data

    group, round_ = Group("g", ask_itself), Group("round", ask_round)
    for asked, key in ((group, "k"), (round_, "a")):
        async with asyncio.timeout(5):
            with pytest.raises(RetrieverFailed, match="asks for a key that it is loading"):
                await asked.get(key)


async def test_a_refresh_begun_inside_a_load_needs_a_place_of_its_own() -> None:
    clock = FakeClock()
    running: list[int] = [0, 0]

    async def load(key: str) -> bytes:
        running[0] += 1
        running[1] = max(running)
        await settled()
        if key == "all":
            await asyncio.gather(*(group.get(str(number)) for number in range(5)))
        await settled()
        running[0] -= 1
        return b""

    settings = GroupSettings(ttl=10, stale_while_revalidate=100, load_concurrency=1)
    group = Group("g", load, settings, clock=clock)
    for number in range(5):
        await group.get(str(number))
    clock.tick(11)
    running[1] = 0
    await group.get("all")
    await group.aclose()
    assert running[1] == 1

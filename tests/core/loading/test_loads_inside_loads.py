"""Loads that ask for other keys: what they may wait for, and what they are refused."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from fakes import BatchSource, FakeClock, FakeSource, settled

from cache_core import Group, GroupSettings, NotFound, RetrieverFailed, Value


class Asking(FakeSource):
    """A source of which some keys are what another group has for a key."""

    def __init__(self) -> None:
        super().__init__()
        self.asks: dict[str, tuple[Group, str]] = {}
        self.go = asyncio.Event()
        self.go.set()

    async def retrieve(self, key: str) -> bytes:
        self.lookups.append(key)
        if key not in self.asks:
            await self.gate.wait()
            return b"1"
        group, asked = self.asks[key]
        await self.go.wait()
        return (await group.get(asked)).data


class AskingForMany(Asking):
    """The same, which takes many keys at once."""

    async def retrieve_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        return {key: await self.retrieve(key) for key in keys}


async def begun(group: Group, *keys: str) -> list[asyncio.Task[Value]]:
    """Return gets of `keys`, of which each has begun before the next."""
    gets = []
    for key in keys:
        gets.append(asyncio.create_task(group.get(key)))
        await settled()
    return gets


async def looked_up_at_once(source: Asking, group: Group, *keys: str) -> list[str]:
    """Get `keys` and return those that the source is asked for while it gives no answer."""
    source.lookups.clear()
    source.gate.clear()
    gets = await begun(group, *keys)
    lookups = list(source.lookups)
    source.gate.set()
    await asyncio.gather(*gets)
    return lookups


SOURCES = pytest.mark.parametrize("source_type", [Asking, AskingForMany])


@SOURCES
async def test_a_circle_through_two_groups_is_refused_at_once(source_type: type[Asking]) -> None:
    one, other = source_type(), source_type()
    first, second = Group("first", one), Group("second", other)
    one.asks["k"], other.asks["k"] = (second, "k"), (first, "k")
    async with asyncio.timeout(5):
        with pytest.raises(RetrieverFailed, match="group first asks for a key that it is loading"):
            await first.get("k")


@SOURCES
async def test_a_key_of_the_same_name_in_another_group_is_another_key(
    source_type: type[Asking],
) -> None:
    source = source_type()
    group = Group("first", source)
    source.asks["k"] = (Group("second", FakeSource({"k": b"2"})), "k")
    assert (await group.get("k")).data == b"2"


@SOURCES
async def test_a_look_up_that_asks_for_its_own_key_is_refused_at_once(
    source_type: type[Asking],
) -> None:
    source = source_type()
    group = Group("g", source)
    source.asks["k"] = (group, "k")
    async with asyncio.timeout(5):
        with pytest.raises(RetrieverFailed, match="asks for a key that it is loading"):
            await group.get("k")


async def test_a_key_that_was_once_loaded_inside_another_waits_for_its_place_again() -> None:
    source = Asking()
    group = Group("g", source, GroupSettings(load_concurrency=1))
    source.asks["parent"] = (group, "child")
    await group.get("parent")
    group.remove("child")
    assert await looked_up_at_once(source, group, "other", "child") == ["other"]


@SOURCES
async def test_loads_inside_loads_leave_as_many_places_as_there_were(
    source_type: type[Asking],
) -> None:
    source = source_type()
    group = Group("g", source, GroupSettings(load_concurrency=1, load_queue=9))
    for number in range(3):
        source.asks[f"parent {number}"] = (group, f"child {number}")
        await group.get(f"parent {number}")
    assert await looked_up_at_once(source, group, "first", "second") == ["first"]


@SOURCES
async def test_a_load_that_went_on_without_a_place_leaves_none_behind(
    source_type: type[Asking],
) -> None:
    source = source_type()
    group = Group("g", source, GroupSettings(load_concurrency=1))
    source.asks["parent"] = (group, "child")
    source.go.clear()
    gets = await begun(group, "parent", "child")
    assert source.lookups == ["parent"]
    source.go.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*gets)
    assert await looked_up_at_once(source, group, "first", "second") == ["first"]


@pytest.mark.parametrize("source_type", [FakeSource, BatchSource])
async def test_a_load_inside_a_load_does_not_wait_for_a_refresh_behind_its_parent(
    source_type: type[FakeSource], clock: FakeClock
) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    class Nested(source_type):  # type: ignore[valid-type, misc]
        async def retrieve(self, key: str) -> bytes:
            if key != "parent":
                return b"1"
            asked.set()
            await go.wait()
            data: bytes = (await group.get("child")).data
            return data

        async def retrieve_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
            return {key: await self.retrieve(key) for key in keys}

    settings = GroupSettings(ttl=10, stale_if_error=600, load_concurrency=1)
    group = Group("g", Nested(), settings, clock=clock)
    await group.get("child")
    clock.tick(11)
    parent = asyncio.create_task(group.get("parent"))
    await asked.wait()
    queued = asyncio.create_task(group.get("child"))
    await settled()
    go.set()
    async with asyncio.timeout(5):
        assert (await parent).data == (await queued).data == b"1"


async def test_a_look_up_inside_another_that_finds_nothing_is_a_not_found_there_too() -> None:
    source = Asking()
    group = Group("g", source)
    source.asks["parent"] = (Group("other", FakeSource()), "none")
    with pytest.raises(NotFound, match="none not exist"):
        await group.get("parent")

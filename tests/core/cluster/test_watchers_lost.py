"""Watchers whose streams broke: named for a while, and then let go."""

from contextlib import aclosing

from named import Named
from virtual_time import after, in_virtual_time

from cache_core.cluster.watchers import SILENCE_SECONDS, Watchers
from cache_core.messages import Removal


async def come_and_go(watchers: Watchers, name: str) -> None:
    """Watch, and break off without a goodbye."""
    async with aclosing(watchers.watch(name)) as notices:
        await anext(notices)


@in_virtual_time
async def test_who_broke_off_is_named_until_its_copies_are_over() -> None:
    watchers = Watchers()
    await come_and_go(watchers, "w")
    await after(SILENCE_SECONDS - 0.1)
    assert await watchers.notify((Removal("g"),)) == ("watcher w",)
    await after(0.1)
    assert await watchers.notify((Removal("g"),)) == ()


@in_virtual_time
async def test_who_broke_off_long_ago_takes_no_memory_though_nothing_is_removed() -> None:
    watchers, named = Watchers(), Named()
    await come_and_go(watchers, named.give("long ago"))
    await after(SILENCE_SECONDS)
    await come_and_go(watchers, "just now")
    assert not named.is_held("long ago")

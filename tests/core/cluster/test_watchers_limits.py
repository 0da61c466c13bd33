"""How long a removal waits for its watchers, and what a node keeps of those that are gone."""

import asyncio
import gc
import weakref
from contextlib import aclosing

import pytest
from virtual_time import in_virtual_time, now

from cache_core.cluster.watchers import (
    ACK_SECONDS,
    HEARTBEAT_SECONDS,
    SILENCE_SECONDS,
    Watchers,
)
from cache_core.messages import Removal

TOM = (Removal("scores", "Tom"),)


@pytest.mark.parametrize(
    ("timeout", "waits"), [(None, ACK_SECONDS), (60.0, ACK_SECONDS), (0.2, 0.15), (0.0, 0.0)]
)
@in_virtual_time
async def test_a_slow_watcher_is_waited_for_half_a_second_and_three_quarters_of_the_removals_time(
    timeout: float | None, waits: float
) -> None:
    watchers = Watchers()
    async with aclosing(watchers.watch("slow")) as notices:
        await anext(notices)
        began = now()
        assert await watchers.notify(TOM, timeout) == ("watcher slow",)
        assert now() - began == pytest.approx(waits)


@in_virtual_time
async def test_heartbeats_keep_their_pace_after_a_removal() -> None:
    watchers = Watchers()
    async with aclosing(watchers.watch("w")) as notices:
        watcher = (await anext(notices)).watcher
        for _ in range(3):
            telling = asyncio.create_task(watchers.notify(TOM))
            notice = await anext(notices)
            watchers.acknowledge(watcher, notice.sequence)
            assert await telling == ()
            began = now()
            assert (await anext(notices)).items == ()
            assert now() - began == pytest.approx(HEARTBEAT_SECONDS)


class Name(str):
    """Text that can be looked for in memory."""

    __slots__ = ("__weakref__",)


@pytest.mark.parametrize("leaves", [True, False])
@in_virtual_time
async def test_nothing_is_kept_of_a_watcher_once_its_copies_can_not_hold(leaves: bool) -> None:
    watchers = Watchers()
    name = Name("w")
    kept = weakref.ref(name)
    async with aclosing(watchers.watch(name)) as notices:
        watcher = (await anext(notices)).watcher
        if leaves:
            watchers.leave(watcher)
    if not leaves:
        assert await watchers.notify(TOM) == ("watcher w",)
        await asyncio.sleep(SILENCE_SECONDS)
    assert await watchers.notify(TOM) == ()
    del name, notices
    gc.collect()
    assert kept() is None

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from functools import wraps

import pytest
from fakes import settled
from virtual_time import now

from cache_core.cluster.watchers import (
    ACK_SECONDS,
    HEARTBEAT_SECONDS,
    MAX_WAITING,
    SILENCE_SECONDS,
    Watchers,
)
from cache_core.messages import Notice, Removal

TOM = (Removal("scores", "Tom"),)
ALL = (Removal("scores"),)


class Impatient(selectors.DefaultSelector):
    """Waits for nothing: where it should, it says that the time is over."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.waited += timeout or 0
        return super().select(0)


class ImpatientLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock leaps to what it would wait for."""

    def __init__(self) -> None:
        self._impatient = Impatient()
        super().__init__(self._impatient)

    def time(self) -> float:
        return self._impatient.waited


def without_waiting(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        with asyncio.Runner(loop_factory=ImpatientLoop) as runner:
            runner.run(test())

    return run


@asynccontextmanager
async def watching(
    watchers: Watchers, name: str = "w"
) -> AsyncIterator[tuple[str, AsyncIterator[Notice]]]:
    """A watcher's id and its notices after the first."""
    async with aclosing(watchers.watch(name)) as notices:
        yield (await anext(notices)).watcher, notices


@without_waiting
async def test_the_first_notice_comes_at_once_and_says_who_watches_and_for_how_long() -> None:
    watchers = Watchers()
    assert len(watchers) == 0
    async with aclosing(watchers.watch("w")) as one, aclosing(watchers.watch("w")) as other:
        first, second = await anext(one), await anext(other)
        assert (first.sequence, first.items, first.silence) == (1, (), SILENCE_SECONDS)
        assert first.watcher != second.watcher
        assert len(watchers) == 2
        assert now() == 0
    assert len(watchers) == 0


@without_waiting
async def test_what_all_acknowledge_is_known_to_be_heard_by_all_at_once() -> None:
    watchers = Watchers()
    async with watching(watchers) as (one, first), watching(watchers) as (other, second):
        telling = asyncio.create_task(watchers.notify(TOM))
        notice = await anext(first)
        assert (notice.watcher, notice.sequence, notice.items) == (one, 2, TOM)
        watchers.acknowledge(one, 2)
        await settled()
        assert not telling.done()
        watchers.acknowledge(other, (await anext(second)).sequence)
        assert await telling == ()
        assert now() == 0
        assert len(watchers) == 2


@without_waiting
async def test_nobody_is_waited_for_where_nobody_watches() -> None:
    assert await Watchers().notify(TOM) == ()
    assert now() == 0


@without_waiting
async def test_notices_come_in_order_and_one_acknowledgement_is_for_all_before_it() -> None:
    watchers = Watchers()
    async with watching(watchers) as (watcher, notices):
        telling = [asyncio.create_task(watchers.notify(items)) for items in (TOM, ALL, TOM)]
        await settled()
        seen = [await anext(notices) for _ in telling]
        assert [(notice.sequence, notice.items) for notice in seen] == [
            *((2, TOM), (3, ALL), (4, TOM))
        ]
        watchers.acknowledge(watcher, 3)
        await settled()
        assert [task.done() for task in telling] == [True, True, False]
        watchers.acknowledge(watcher, 4)
        assert await asyncio.gather(*telling) == [(), (), ()]


@without_waiting
async def test_who_does_not_acknowledge_in_time_is_named_and_ended() -> None:
    watchers = Watchers()
    async with watching(watchers, "slow") as (_, ended), watching(watchers, "ok") as (ok, notices):
        telling = asyncio.create_task(watchers.notify(TOM))
        watchers.acknowledge(ok, (await anext(notices)).sequence)
        assert await telling == ("watcher slow",)
        assert now() == ACK_SECONDS
        assert len(watchers) == 1
        assert [notice async for notice in ended] == []


@without_waiting
async def test_who_was_ended_is_named_until_it_must_have_noticed() -> None:
    watchers = Watchers()
    async with watching(watchers, "slow"):
        await watchers.notify(TOM)
        lost = now()
        assert await watchers.notify(ALL) == ("watcher slow",)
        assert now() == lost
        await asyncio.sleep(SILENCE_SECONDS - 0.1)
        assert await watchers.notify(ALL) == ("watcher slow",)
        await asyncio.sleep(0.1)
        assert await watchers.notify(ALL) == ()


@without_waiting
async def test_who_leaves_with_something_unacknowledged_is_named() -> None:
    watchers = Watchers()
    async with watching(watchers, "left") as (_, notices):
        telling = asyncio.create_task(watchers.notify(TOM))
        await anext(notices)
    assert await telling == ("watcher left",)
    assert now() == 0


@without_waiting
async def test_one_whose_stream_breaks_is_named_until_it_must_have_noticed() -> None:
    watchers = Watchers()
    async with watching(watchers, "broken"):
        pass
    assert len(watchers) == 0
    assert await watchers.notify(TOM) == ("watcher broken",)
    await asyncio.sleep(SILENCE_SECONDS)
    assert await watchers.notify(TOM) == ()


@without_waiting
async def test_who_leaves_is_neither_waited_for_nor_named() -> None:
    watchers = Watchers()
    async with watching(watchers) as (watcher, notices):
        telling = asyncio.create_task(watchers.notify(TOM))
        await anext(notices)
        watchers.leave(watcher)
        assert await telling == ()
        assert [notice async for notice in notices] == []
    assert await watchers.notify(ALL) == ()
    assert now() == 0


@without_waiting
async def test_one_removal_does_not_wait_for_another() -> None:
    watchers = Watchers()
    async with watching(watchers) as (watcher, _):
        first = asyncio.create_task(watchers.notify(TOM))
        await asyncio.sleep(ACK_SECONDS / 2)
        second = asyncio.create_task(watchers.notify(ALL))
        assert await first == ("watcher w",)
        assert now() == ACK_SECONDS
        assert await second == ("watcher w",)
        assert now() == ACK_SECONDS
        watchers.acknowledge(watcher, 3)


@without_waiting
async def test_a_heartbeat_comes_three_times_in_the_promised_silence() -> None:
    watchers = Watchers()
    async with watching(watchers) as (_, notices):
        beats = [await anext(notices) for _ in range(3)]
        assert now() == pytest.approx(SILENCE_SECONDS)
        assert [(beat.sequence, beat.items) for beat in beats] == [(2, ()), (3, ()), (4, ())]


@without_waiting
async def test_a_notice_says_how_long_after_its_streams_beginning_it_is() -> None:
    watchers = Watchers()
    await asyncio.sleep(7)
    async with aclosing(watchers.watch("w")) as notices:
        assert [(await anext(notices)).elapsed for _ in range(3)] == pytest.approx(
            [0, HEARTBEAT_SECONDS, 2 * HEARTBEAT_SECONDS]
        )


@without_waiting
async def test_who_is_ended_with_all_others_is_named_until_it_must_have_noticed() -> None:
    watchers = Watchers()
    async with watching(watchers, "w"):
        watchers.end()
        assert await watchers.notify(TOM) == ("watcher w",)
        await asyncio.sleep(SILENCE_SECONDS)
        assert await watchers.notify(TOM) == ()


@without_waiting
async def test_a_notice_does_not_wait_for_the_heartbeat() -> None:
    watchers = Watchers()
    async with watching(watchers) as (watcher, notices):
        waiting = asyncio.ensure_future(anext(notices))
        await asyncio.sleep(HEARTBEAT_SECONDS / 2)
        telling = asyncio.create_task(watchers.notify(TOM))
        assert (await waiting).items == TOM
        assert now() == HEARTBEAT_SECONDS / 2
        watchers.acknowledge(watcher, 2)
        assert await telling == ()


@without_waiting
async def test_a_watcher_too_far_behind_is_ended_at_once() -> None:
    watchers = Watchers()
    async with watching(watchers) as (_, notices):
        telling = [asyncio.create_task(watchers.notify(TOM)) for _ in range(MAX_WAITING + 1)]
        assert {await task for task in telling} == {("watcher w",)}
        assert now() == 0
        assert [notice async for notice in notices] == []


@without_waiting
async def test_what_is_acknowledged_by_nobody_known_or_before_it_is_told_is_passed_over() -> None:
    watchers = Watchers()
    async with watching(watchers) as (watcher, _):
        watchers.acknowledge("nobody", 1)
        watchers.acknowledge(watcher, 2)
        assert await watchers.notify(TOM) == ("watcher w",)


@without_waiting
async def test_ending_all_ends_those_who_watch_now() -> None:
    watchers = Watchers()
    async with watching(watchers) as (_, notices):
        waiting = asyncio.create_task(anext(notices, None))
        await settled()
        watchers.end()
        assert await waiting is None
        assert now() == 0
        assert len(watchers) == 0
    async with watching(watchers):
        assert len(watchers) == 1

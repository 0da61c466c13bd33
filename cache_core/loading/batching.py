"""Loads in batches, for sources that take many keys at once: one look-up for all that wait.

Knows no kind of source and no values.
"""

import asyncio
import contextvars
import copy
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Final, TypeAlias

from cache_core.errors import RetrieverFailed
from cache_core.loading.limiter import CapacityLimiter, Full
from cache_core.loading.origin import Begin, Many
from cache_core.loading.retriever import Retrieved

MAX_KEYS: Final = 1_000
"""How many keys a source is asked for at once, at the most."""

LoadBatch: TypeAlias = Callable[[Mapping[str, Begin]], Awaitable[Many]]


class Batches:
    """The loads of one group, gathered into a batch until a place is free.

    A batch takes the loads of one turn of the event loop at the least, and MAX_KEYS keys at the
    most. `ask` is called with them in a place of `limiter`. No more than `queue` keys wait while
    all places are taken. Belongs to one event loop.
    """

    def __init__(self, ask: LoadBatch, limiter: CapacityLimiter, *, queue: int) -> None:
        self._ask = ask
        self._limiter = limiter
        self._queue = queue
        self._open: _Batch | None = None
        self._waiting: dict[str, _Batch] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self, key: str, begin: Begin) -> Retrieved:
        """Return what `ask` has for `key`, None where it has nothing.

        `begin` goes to `ask` with the key. Raises Full, what `ask` raises, and a RetrieverFailed
        that `ask` has for the key. When the last caller that waits for a batch gives up, the batch
        is cancelled.
        """
        if not self._limiter.is_free and len(self._waiting) >= self._queue:
            raise Full
        batch = self._open
        if batch is None or len(batch.begins) >= MAX_KEYS:
            self._open = batch = _Batch()
            # A context of its own, because it is no part of what any one of its callers does.
            running = self._run(batch)
            batch.task = asyncio.create_task(running, context=contextvars.Context())
            self._tasks.add(batch.task)
            batch.task.add_done_callback(self._tasks.discard)
        outcome = batch.add(key, begin)
        self._waiting[key] = batch
        try:
            return await outcome
        except asyncio.CancelledError:
            self._leave(key, batch)
            raise

    def hurry(self, key: str) -> None:
        """Let the batch that has `key` start without a place."""
        batch = self._waiting.get(key)
        if batch is not None:
            batch.is_hurried = True  # in case its task has yet to begin to wait
            self._limiter.hurry(batch.ticket)

    async def aclose(self) -> None:
        """Cancel the batches that run, and wait until they have ended."""
        tasks = list(self._tasks)
        for task in tasks:
            if not task.cancelling():  # a second cancel would cut its tidying up short
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, batch: "_Batch") -> None:
        try:
            has_place = not batch.is_hurried and await self._limiter.take(batch.ticket)
        except Full as error:
            self._close(batch)
            batch.fail(error)
            return
        self._close(batch)
        try:
            batch.settle(await self._ask(batch.begins))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the waiters' to handle
            batch.fail(error)
        finally:
            batch.cancel()
            if has_place:
                self._limiter.give_back()

    def _close(self, batch: "_Batch") -> None:
        """Take no more keys into `batch`."""
        if self._open is batch:
            self._open = None
        for key in batch.begins:
            self._waiting.pop(key, None)

    def _leave(self, key: str, batch: "_Batch") -> None:
        if self._waiting.get(key) is batch and batch.drop(key):
            del self._waiting[key]
        if batch.is_deserted and batch.task is not None:
            self._close(batch)
            batch.task.cancel()


class _Batch:
    """Keys that are asked for together, and the loads that wait for them.

    A key comes twice where it was removed while a load of it waited.
    """

    def __init__(self) -> None:
        self.begins: dict[str, Begin] = {}
        self.task: asyncio.Task[None] | None = None
        self.ticket = object()
        self.is_hurried = False
        self._outcomes: dict[str, list[asyncio.Future[Retrieved]]] = {}

    @property
    def is_deserted(self) -> bool:
        return not any(self._waited_for())

    def add(self, key: str, begin: Begin) -> "asyncio.Future[Retrieved]":
        before = self.begins.get(key)
        self.begins[key] = begin if before is None else partial(_begin_both, before, begin)
        outcome: asyncio.Future[Retrieved] = asyncio.get_running_loop().create_future()
        self._outcomes.setdefault(key, []).append(outcome)
        return outcome

    def drop(self, key: str) -> bool:
        """Take `key` out of the batch if nobody waits for it; return whether that is so."""
        if not all(outcome.done() for outcome in self._outcomes[key]):
            return False
        del self.begins[key], self._outcomes[key]
        return True

    def settle(self, found: Many) -> None:
        for key, outcome in self._waited_for():
            value = found.get(key)
            if isinstance(value, RetrieverFailed):
                outcome.set_exception(copy.copy(value))
            else:
                outcome.set_result(value)

    def fail(self, error: Exception) -> None:
        for _, outcome in self._waited_for():
            # A copy for each: an error's traceback grows wherever it is raised.
            outcome.set_exception(copy.copy(error))

    def cancel(self) -> None:
        """End all waits for the batch, because it was cancelled itself."""
        for _, outcome in self._waited_for():
            outcome.cancel()

    def _waited_for(self) -> "Iterator[tuple[str, asyncio.Future[Retrieved]]]":
        for key, outcomes in self._outcomes.items():
            for outcome in outcomes:
                if not outcome.done():
                    yield key, outcome


def _begin_both(one: Begin, other: Begin) -> None:
    one()
    other()

"""Peers whose answers come from a coroutine, and the other way round."""

import asyncio
from collections.abc import Sequence
from functools import cached_property

from cache_core.cluster.peer import Ask, Done, GiveUp, Peer
from cache_core.errors import CacheError


class TaskPeer:
    """A Peer that asks by `get`, a coroutine, which has a task of its own."""

    @cached_property
    def tasks(self) -> "set[asyncio.Task[None]]":
        """The tasks that have not ended; one that was given up has some turns left."""
        return set()

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:
        """Settle each of `asks`. Raises CacheError."""
        raise NotImplementedError

    def ask(self, asks: Sequence[Ask], *, ring: int, timeout: float, done: Done) -> GiveUp:
        """Settle each of `asks` in a task; then call `done`."""
        task = asyncio.ensure_future(self.get(asks, ring=ring, timeout=timeout))
        self.tasks.add(task)

        def ended(task: "asyncio.Task[None]") -> None:
            self.tasks.discard(task)
            if task.cancelled():
                return
            error = task.exception()
            done(error if isinstance(error, CacheError) else None)
            if error is not None and not isinstance(error, CacheError):
                raise error

        task.add_done_callback(ended)

        def give_up() -> None:
            task.cancel()

        return give_up


async def got(peer: Peer, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:
    """Return once `peer` has settled each of `asks`. Raises CacheError."""
    waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done(error: CacheError | None) -> None:
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)

    give_up = peer.ask(asks, ring=ring, timeout=timeout, done=done)
    try:
        await waiting
    except asyncio.CancelledError:
        give_up()
        raise

"""The kept way to one node: keys asked for in one turn of the event loop go in one call."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from math import inf
from typing import TypeVar

from cache_core.errors import CacheError, DeadlineExceeded, PeerUnavailable, UnexpectedStatus
from cache_core.messages import Message
from cache_core.peer import Ask, Peer
from cache_core.trace import Trace, current_trace
from cache_core.value import Demand, Value

A = TypeVar("A")


class Link:
    """Asks the node `name` through `peer`; `ring` tells the asker's version of the ring.

    A batch waits for nothing but the end of the turn. `heard` is when the node last answered with
    a value, by the event loop's clock. Belongs to one event loop.
    """

    def __init__(self, name: str, peer: Peer, ring: Callable[[], int]) -> None:
        self.name = name
        self._peer = peer
        self._ring = ring
        self.heard = 0.0
        self._waiting: list[_Waiting] = []
        self._batches: dict[_Batch, None] = {}

    async def get(
        self,
        group: str,
        key: str,
        *,
        forwarded: bool,
        demand: Demand = Demand.ANY,
        timeout: float,
    ) -> Value:
        """Return the node's answer within `timeout` seconds. Raises CacheError.

        A call whose keys nobody waits for any more is cancelled, and so are its loads.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        ask = _Waiting(
            group,
            key,
            forwarded=forwarded,
            demand=demand,
            deadline=deadline,
            trace=current_trace.get(),
        )
        if not self._waiting:
            loop.call_soon(self._leave)
        self._waiting.append(ask)
        try:
            async with asyncio.timeout_at(None if deadline == inf else deadline):
                value = await ask.outcome
        except TimeoutError as error:
            words = f"node {self.name} did not answer within the deadline"
            raise DeadlineExceeded(words, node=self.name) from error
        finally:
            if ask.batch is not None:
                ask.batch.leave(ask)
        self.heard = loop.time()
        return value

    async def send(self, message: Message[A], *, timeout: float) -> A:
        """Return the node's answer to `message`. Raises CacheError."""
        return await self._peer.send(message, timeout=timeout)

    def fail(self, words: str) -> None:
        """Let all who wait for this node have PeerUnavailable at once."""
        for batch in list(self._batches):
            batch.fail(PeerUnavailable(words, node=self.name))
            batch.task.cancel()

    async def aclose(self) -> None:
        """End the connection; who still waits gets PeerUnavailable."""
        self.fail(f"the connection to node {self.name} was closed")
        await asyncio.gather(*(batch.task for batch in self._batches), return_exceptions=True)
        await self._peer.aclose()

    def _leave(self) -> None:
        asks = [ask for ask in self._waiting if not ask.outcome.done()]
        self._waiting.clear()
        if asks:
            batch = _Batch(asks, self._carry(asks))
            self._batches[batch] = None
            batch.task.add_done_callback(lambda _: self._arrived(batch))

    async def _carry(self, asks: Sequence[Ask]) -> None:
        timeout = max(ask.deadline for ask in asks) - asyncio.get_running_loop().time()
        try:
            await self._peer.get(asks, ring=self._ring(), timeout=timeout)
        except CacheError as error:
            for ask in asks:
                ask.fail(error)

    def _arrived(self, batch: "_Batch") -> None:
        """Let nobody wait for what has ended, however it did."""
        self._batches.pop(batch, None)
        words = f"node {self.name} left a key unanswered"
        batch.fail(UnexpectedStatus(words, status="INTERNAL", node=self.name))


class _Waiting(Ask):
    """An ask whose waiter may give up."""

    __slots__ = ("batch",)

    def __init__(
        self,
        group: str,
        key: str,
        *,
        forwarded: bool,
        demand: Demand,
        deadline: float,
        trace: Trace,
    ) -> None:
        super().__init__(
            group, key, forwarded=forwarded, demand=demand, deadline=deadline, trace=trace
        )
        self.batch: _Batch | None = None

    def let_go(self) -> None:
        """Hold the value no longer, which its waiter has by now."""
        self.outcome = self.outcome.get_loop().create_future()
        self.outcome.cancel()


class _Batch:
    """Asks that leave together, and the task that carries them."""

    def __init__(self, asks: list[_Waiting], carry: Coroutine[None, None, None]) -> None:
        self.asks = asks
        self.task = asyncio.create_task(carry)
        self._waited_for = len(asks)
        for ask in asks:
            ask.batch = self

    def leave(self, ask: _Waiting) -> None:
        """Wait for one ask less, and end the call with the last."""
        self._waited_for -= 1
        if self._waited_for:
            ask.let_go()  # large values should not pile up until the last has come
        else:
            self.task.cancel()

    def fail(self, error: CacheError) -> None:
        for ask in self.asks:
            ask.fail(error)

"""The kept way to one node: keys asked for in one turn of the event loop go in one call."""

import asyncio
import time
from collections.abc import Callable
from math import inf
from typing import Final, NamedTuple, TypeVar

from cache_core.cluster.latency import Latency
from cache_core.cluster.link_batch import LinkBatch, Waiting
from cache_core.cluster.peer import Peer, Watching
from cache_core.errors import PeerUnavailable
from cache_core.messages import Message
from cache_core.trace import current_trace
from cache_core.value import Answer, Demand, Outcome, Then, Value

A = TypeVar("A")

HURRY_SECONDS: Final = 0.05
"""An ask that would have less time left after a wait for another batch does not wait for it."""


class Link:
    """Asks the node `name` through `peer`, in batches; `ring` returns the asker's ring version.

    A batch leaves when the turn of the event loop ends. Where another batch is under way, it leaves
    when that one begins to return, which makes for fewer and larger calls under load. It does not
    wait for a batch that takes longer than load explains, and not if one of its asks has little
    time. `heard` is when the node last answered with a value, by the event loop's clock. `watch`
    returns the watch on the node, which sees its answers first, or None. `clock` is finer than
    uvloop's, which ticks in milliseconds. Belongs to one event loop.
    """

    def __init__(
        self,
        name: str,
        peer: Peer,
        ring: Callable[[], int],
        *,
        watch: Callable[[Peer], Watching | None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._peer = peer
        self._ring = ring
        self._clock = clock
        self.heard = 0.0
        self._latency = Latency()
        self._watch = watch(peer)
        self._waiting: list[Waiting] = []
        self._batches: dict[LinkBatch, float] = {}
        self._last: LinkBatch | None = None
        self._held_back: _HeldBack | None = None

    def ask(
        self,
        group: str,
        key: str,
        *,
        forwarded: bool,
        demand: Demand = Demand.ANY,
        deadline: float,
        then: Then,
    ) -> Waiting:
        """Call `then` with the node's answer, or with DeadlineExceeded past `deadline`.

        `deadline` is by the event loop's clock. Return the ask, which can be given up. This takes
        neither a task nor a future for each key. A call whose keys are all given up is cancelled,
        and so are its loads.
        """
        if self._watch is not None:
            then = self._watch.keeping(group, key, demand, then)
        waiting = Waiting(
            group,
            key,
            forwarded=forwarded,
            demand=demand,
            deadline=deadline,
            trace=current_trace.get(),
            then=then,
        )
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._turn_ends)
        elif self._held_back is not None and deadline < self._held_back.until + HURRY_SECONDS:
            self._let_go()
        self._waiting.append(waiting)
        return waiting

    async def get(
        self,
        group: str,
        key: str,
        *,
        forwarded: bool,
        demand: Demand = Demand.ANY,
        timeout: float,
    ) -> Value:
        """Return the node's answer within `timeout` seconds. Raises CacheError."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Value] = loop.create_future()
        waiting = self.ask(
            group,
            key,
            forwarded=forwarded,
            demand=demand,
            deadline=loop.time() + timeout,
            then=settling(outcome),
        )
        try:
            return await outcome
        finally:
            waiting.give_up()

    async def send(self, message: Message[A], *, timeout: float) -> A:
        """Return the node's answer to `message` within `timeout` seconds. Raises CacheError."""
        return await self._peer.send(message, timeout=timeout)

    def fail(self, words: str) -> None:
        """End all asks of this node at once in a PeerUnavailable that says `words`."""
        waiting, self._waiting = self._waiting, []
        for ask in waiting:
            ask.settle(PeerUnavailable(words, node=self.name))
        for batch in list(self._batches):
            batch.fail(PeerUnavailable(words, node=self.name))
            batch.stop()

    async def aclose(self) -> None:
        """End the connection; asks that still wait end in PeerUnavailable."""
        self.fail(f"the connection to node {self.name} was closed")
        if self._watch is not None:
            await self._watch.aclose()
        await self._peer.aclose()

    def _turn_ends(self) -> None:
        last = self._last
        if last is None or last.has_returned:
            self._leave()
            return
        loop = asyncio.get_running_loop()
        late = last.left + self._latency.patience
        soonest = min([ask.deadline for ask in self._waiting], default=inf)
        if late <= loop.time() or soonest < late + HURRY_SECONDS:
            self._leave()
        else:
            self._held_back = _HeldBack(late, loop.call_at(late, self._leave))

    def returns(self, batch: LinkBatch, first: Outcome | None) -> None:
        """Let the asks that were held back for `batch` leave once this turn ends.

        The `first` outcome of `batch` tells how fast the node is, if the node had it in memory.
        """
        if isinstance(first, Value) and first.answer is Answer.HIT:
            self._latency.took(self._clock() - self._batches[batch])
        if batch is self._last:
            self._let_go()

    def _let_go(self) -> None:
        """Let the asks that are held back, if any, leave once this turn ends."""
        if self._held_back is not None:
            self._held_back.timer.cancel()
            self._held_back = None
            asyncio.get_running_loop().call_soon(self._leave)

    def _leave(self) -> None:
        self._held_back = None
        asks = [ask for ask in self._waiting if not ask.is_settled]
        self._waiting.clear()
        if asks:
            batch = LinkBatch(self, asks)
            self._batches[batch] = self._clock()
            self._last = batch
            batch.begin(self._peer, ring=self._ring())

    def ended(self, batch: LinkBatch) -> None:
        """Forget `batch`, which is over."""
        self._batches.pop(batch, None)
        if batch is self._last:
            self._last = None


class _HeldBack(NamedTuple):
    """The time at which asks that wait for another batch leave at the latest, and its timer.

    Not every timer of uvloop tells its time, which is therefore kept beside it: a call that is due
    within half a millisecond has no timer.
    """

    until: float
    timer: asyncio.TimerHandle


def settling(outcome: "asyncio.Future[Value]") -> Then:
    """Return a function that settles `outcome`, unless it is settled or cancelled by then."""

    def then(found: Outcome) -> None:
        if outcome.done():
            return
        if isinstance(found, Value):
            outcome.set_result(found)
        else:
            outcome.set_exception(found)

    return then

"""Asks that leave together in one call, and each one's wait for its outcome. Knows no wire."""

import asyncio
from math import inf
from typing import Final, Protocol

from cache_core.cluster.collapsed import collapse
from cache_core.cluster.peer import Ask, GiveUp, Peer
from cache_core.errors import CacheError, DeadlineExceeded, UnexpectedStatus
from cache_core.trace import Trace
from cache_core.value import Demand, Outcome, Then, Value

TICK_SECONDS: Final = 0.001
"""A call's deadlines are looked through no more often than this, however many there are."""


class Way(Protocol):
    """The way of batches to the node `name`; `heard` is when it last answered with a value."""

    name: str
    heard: float

    def ended(self, batch: "LinkBatch") -> None:
        """Learn that the call of `batch` is over, and all its asks are settled."""


class Waiting(Ask):
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
        then: Then,
    ) -> None:
        super().__init__(
            group,
            key,
            forwarded=forwarded,
            demand=demand,
            deadline=deadline,
            trace=trace,
            then=then,
        )
        self.batch: LinkBatch | None = None

    def settle(self, outcome: Outcome) -> None:
        """Call `then` with `outcome`, unless one is known already or the ask was given up."""
        if self._then is not None and self.batch is not None:
            self.batch.settled(outcome)
        super().settle(outcome)

    def give_up(self) -> None:
        """Wait no longer: `then` is not called any more."""
        if self._then is not None:
            self._then = None
            if self.batch is not None:
                self.batch.given_up()


class LinkBatch:
    """Asks that leave together in one call; `way` hears of its end."""

    def __init__(self, way: Way, asks: list[Waiting]) -> None:
        self._way = way
        self._asks = asks
        self._loop = asyncio.get_running_loop()
        self._give_up: GiveUp | None = None
        self._is_over = False
        self._waited_for = len(asks)
        self._is_abandoned = False
        self._timer: asyncio.TimerHandle | None = None
        for ask in asks:
            ask.batch = self
        self._set_timer(min([ask.deadline for ask in asks]))

    def begin(self, peer: Peer, *, ring: int) -> None:
        """Ask `peer`, once for each key that is asked for alike."""
        timeout = max([ask.deadline for ask in self._asks]) - self._loop.time()
        asks = self._asks if len(self._asks) == 1 else collapse(self._asks)
        give_up = peer.ask(asks, ring=ring, timeout=timeout, done=self._ended)
        if not self._is_over:
            self._give_up = give_up

    def stop(self) -> None:
        """Give the call up: nobody waits for it any more."""
        give_up, self._give_up = self._give_up, None
        if give_up is not None:
            give_up()
            self._loop.call_soon(self._ended, None)

    def settled(self, outcome: Outcome) -> None:
        """Note that one more ask has an outcome."""
        if isinstance(outcome, Value):
            self._way.heard = self._loop.time()
        self._waited_for -= 1
        if self._is_abandoned and not self._waited_for:
            self.stop()

    def given_up(self) -> None:
        """Note that one more ask was given up; when none is left, cancel the call."""
        self._is_abandoned = True
        self._waited_for -= 1
        if not self._waited_for:
            self.stop()

    def fail(self, error: CacheError) -> None:
        """Settle all asks that still wait with `error`."""
        for ask in self._asks:
            ask.settle(error)

    def _ended(self, error: CacheError | None) -> None:
        """Settle the asks that the call has left unanswered, however it ended."""
        if self._is_over:
            return
        self._is_over = True
        self._give_up = None
        if self._waited_for > 0:
            name = self._way.name
            words = f"node {name} left a key unanswered"
            self.fail(error or UnexpectedStatus(words, status="INTERNAL", node=name))
        if self._timer is not None:
            self._timer.cancel()
        self._way.ended(self)

    def _set_timer(self, deadline: float) -> None:
        if deadline < inf:
            self._timer = self._loop.call_at(deadline, self._time_out)

    def _time_out(self) -> None:
        """Settle the asks whose deadline is over with DeadlineExceeded."""
        self._timer = None
        now = self._loop.time()
        name = self._way.name
        words = f"node {name} did not answer within the deadline"
        for ask in self._asks:
            if ask.deadline <= now and not ask.is_settled:
                self._is_abandoned = True
                ask.settle(DeadlineExceeded(words, node=name))
        left = [ask.deadline for ask in self._asks if not ask.is_settled]
        if left:
            self._set_timer(max(min(left), now + TICK_SECONDS))

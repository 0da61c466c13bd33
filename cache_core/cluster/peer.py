"""Another node as its peers and clients see it. Knows no wire."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from cache_core.messages import Message, Notice
from cache_core.trace import Trace
from cache_core.value import Demand, Outcome, Then

A = TypeVar("A")


class Ask:
    """A key that somebody waits for, who is told by `then`, once.

    `forwarded` is set on behalf of another caller: the node that is asked does not ask on.
    `demand` is as a get's; `deadline` is by the event loop's clock.
    """

    __slots__ = ("_then", "deadline", "demand", "forwarded", "group", "key", "trace")

    def __init__(
        self,
        group: str,
        key: str,
        *,
        forwarded: bool,
        demand: Demand = Demand.ANY,
        deadline: float,
        trace: Trace,
        then: Then,
    ) -> None:
        self.group = group
        self.key = key
        self.forwarded = forwarded
        self.demand = demand
        self.deadline = deadline
        self.trace = trace
        self._then: Then | None = then

    @property
    def is_settled(self) -> bool:
        """Whether the outcome is known, or nobody waits for it any more."""
        return self._then is None

    def settle(self, outcome: Outcome) -> None:
        """Let whoever waits have `outcome`, unless one is known or nobody waits."""
        then, self._then = self._then, None
        if then is not None:
            then(outcome)


class Peer(Protocol):
    """A node that can be asked: over the wire, or however else messages get to it.

    Timeouts are in seconds, infinity is none.
    """

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:
        """Settle each of `asks`, as soon as its outcome is known, in one call.

        `ring` is the asker's version. Raises CacheError where the call itself fails, which holds
        for the asks that have no outcome then.
        """

    async def send(self, message: Message[A], *, timeout: float) -> A:
        """Return the node's answer to `message`. Raises CacheError."""

    async def aclose(self) -> None:
        """End the connection; calls still running end in PeerUnavailable."""


class Watching(Protocol):
    """Whoever watches a node on behalf of those who ask it."""

    def keeping(self, group: str, key: str, demand: Demand, then: Then) -> Then:
        """Return what to call in place of `then` with the outcome of an ask that leaves now."""

    async def aclose(self) -> None:
        """Watch the node no more."""


@runtime_checkable
class Watchable(Protocol):
    """A node that tells what is removed."""

    def watch(self) -> AsyncGenerator[Notice, None]:
        """Yield what the node tells its watchers until it ends that; who stops before closes it.

        Raises CacheError where the node can't be watched, or is silent for too long.
        """

    async def acknowledge(self, watcher: str, sequence: int) -> None:
        """Tell the node that `watcher` has dropped what it was told up to `sequence`.

        Raises CacheError.
        """

    async def leave(self, watcher: str) -> None:
        """Tell the node that `watcher` holds no copies any more. Raises CacheError."""

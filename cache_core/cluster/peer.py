"""Another node as its peers and clients see it. Knows no wire."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol, TypeAlias, TypeVar, runtime_checkable

from cache_core.errors import CacheError
from cache_core.messages import Message, Notice
from cache_core.trace import Trace
from cache_core.value import Demand, Outcome, Then

A = TypeVar("A")

Done: TypeAlias = Callable[[CacheError | None], None]
GiveUp: TypeAlias = Callable[[], None]


class Ask:
    """A key that a node is asked for; `then` is called with the outcome, once.

    `forwarded` is set where a node asks on another caller's behalf: the node that it asks asks no
    other. `demand` is as a get's; `deadline` is by the event loop's clock.
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
        """Call `then` with `outcome`, unless one is known already or nobody waits any more."""
        then, self._then = self._then, None
        if then is not None:
            then(outcome)


class Peer(Protocol):
    """A node that can be asked: over the wire, or however else messages get to it.

    Timeouts are in seconds; infinity means no deadline.
    """

    def ask(self, asks: Sequence[Ask], *, ring: int, timeout: float, done: Done) -> GiveUp:
        """Settle each of `asks`, as soon as its outcome is known, in one call; then call `done`.

        `ring` is the asker's version of the ring. `done` is given the error that the call itself
        failed by, which is then the outcome of the asks that have none; else None. It may be called
        before this returns. Return what gives the call up: neither an ask is settled nor `done`
        called any more, but for what the answer that is being taken at the time still leads to.
        """

    async def send(self, message: Message[A], *, timeout: float) -> A:
        """Return the node's answer to `message`. Raises CacheError."""

    async def aclose(self) -> None:
        """End the connection; calls still running end in PeerUnavailable."""


class Watching(Protocol):
    """A watch on a node, on behalf of the callers that ask it."""

    def keeping(self, group: str, key: str, demand: Demand, then: Then) -> Then:
        """Return what to call in place of `then` with the outcome of an ask that leaves now."""

    async def aclose(self) -> None:
        """Watch the node no more."""


@runtime_checkable
class Watchable(Protocol):
    """A peer that tells its watchers of removals."""

    def watch(self) -> AsyncGenerator[Notice, None]:
        """Yield the node's notices until it ends them; a caller that stops before closes this.

        Raises CacheError where the node can't be watched, or is silent for too long.
        """

    async def acknowledge(self, watcher: str, sequence: int) -> None:
        """Tell the node that `watcher` has dropped the copies it was told of up to `sequence`.

        Raises CacheError.
        """

    async def leave(self, watcher: str) -> None:
        """Tell the node that `watcher` holds no copies any more. Raises CacheError."""

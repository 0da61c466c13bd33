"""Another node as its peers and clients see it. Knows no wire."""

import asyncio
from collections.abc import Sequence
from typing import Protocol, TypeVar

from cache_core.errors import CacheError
from cache_core.messages import Message
from cache_core.trace import Trace
from cache_core.value import Demand, Value

A = TypeVar("A")


class Ask:
    """A key that somebody waits for, and the outcome once it is known.

    `forwarded` is set on behalf of another caller: the node that is asked does not ask on.
    `demand` is as a get's.
    """

    __slots__ = ("deadline", "demand", "forwarded", "group", "key", "outcome", "trace")

    def __init__(
        self,
        group: str,
        key: str,
        *,
        forwarded: bool,
        demand: Demand = Demand.ANY,
        deadline: float,
        trace: Trace,
    ) -> None:
        self.group = group
        self.key = key
        self.forwarded = forwarded
        self.demand = demand
        self.deadline = deadline
        self.trace = trace
        self.outcome: asyncio.Future[Value] = asyncio.get_running_loop().create_future()

    def answer(self, value: Value) -> None:
        """Let whoever waits have `value`, unless the outcome is known or nobody waits."""
        if not self.outcome.done():
            self.outcome.set_result(value)

    def fail(self, error: CacheError) -> None:
        """Let whoever waits have `error`, unless the outcome is known or nobody waits."""
        if not self.outcome.done():
            self.outcome.set_exception(error)


class Peer(Protocol):
    """A node that can be asked: over the wire, or however else messages get to it.

    Timeouts are in seconds, infinity is none.
    """

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:
        """Answer or fail each of `asks`, as soon as its outcome is known, in one call.

        `ring` is the asker's version. Raises CacheError where the call itself fails, which holds
        for the asks that have no outcome then.
        """

    async def send(self, message: Message[A], *, timeout: float) -> A:
        """Return the node's answer to `message`. Raises CacheError."""

    async def aclose(self) -> None:
        """End the connection; calls still running end in PeerUnavailable."""

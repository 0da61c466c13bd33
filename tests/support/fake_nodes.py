"""The nodes of a cluster as a client reaches them, each as well as a test says."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from math import inf
from typing import Any, Final, TypeVar, cast

from task_peer import TaskPeer

from cache_core import Client
from cache_core.cluster.member import Member
from cache_core.cluster.peer import Ask
from cache_core.cluster.ring import Ring
from cache_core.errors import CacheError, DeadlineExceeded, PeerUnavailable
from cache_core.messages import Message, Probe, Probed
from cache_core.value import Value

A = TypeVar("A")

FOUR: Final = ("a:1", "b:1", "c:1", "d:1")


class FakeNodes:
    """Nodes that answer every key with it, in bytes; those in a set do it in another way.

    `broken` ones fail at calls, but for probes; `cut` ones fail at these as well. `silent` ones
    answer nothing. `late` ones fail when the call's time is over.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self.broken: set[str] = set()
        self.cut: set[str] = set()
        self.silent: set[str] = set()
        self.late: set[str] = set()
        self.errors: dict[str, CacheError] = {}
        """What a node answers a message with, by its name."""
        self.asked: list[tuple[str, Ask]] = []
        """Each key asked of a node."""
        self.sent: list[tuple[str, Message[Any], float]] = []
        """Each message to a node but for probes, and its time in seconds."""
        self.probed: list[tuple[str, float]] = []
        """Each probe of a node, and its time in seconds."""
        self.under_way: list[tuple[str, float]] = []
        """The calls that have not ended, each with its time in seconds."""
        self.closed: list[str] = []
        self.known_after = 0.0
        """Seconds until the members are known."""

    def owners(self, key: str) -> list[str]:
        """Return the nodes in the order in which they own `key`."""
        return list(Ring(map(Member, self.names)).owners(key))

    def client(self, timeout: float = 1, near_cache: int = 0) -> Client:
        """Return a client of these nodes."""
        return Client(
            self,
            timeout=timeout,
            near_cache=near_cache,
            connect=lambda name: _Way(name, self),
            rng=random.Random(7),
        )

    def take_asked(self) -> list[str]:
        """Return the nodes that were asked for keys since the last call."""
        names = [name for name, _ in self.asked]
        self.asked.clear()
        return names

    def take_sent(self) -> list[str]:
        """Return the nodes to which messages were sent since the last call."""
        names = [name for name, _, _ in self.sent]
        self.sent.clear()
        return names

    def probes(self, name: str) -> int:
        """Return how often the node `name` was probed."""
        return [probed for probed, _ in self.probed].count(name)

    async def join(self, member: Member) -> None:
        """Take part in nothing: a test says who the members are."""

    async def leave(self) -> None:
        """Take back nothing."""

    async def watch(self) -> AsyncIterator[frozenset[Member]]:
        """Yield the members once, as a registry does."""
        await asyncio.sleep(self.known_after)
        yield frozenset(map(Member, self.names))
        await asyncio.Event().wait()


class _Way(TaskPeer):
    """The way to one node."""

    def __init__(self, name: str, nodes: FakeNodes) -> None:
        self._name = name
        self._nodes = nodes

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:  # noqa: ARG002
        self._nodes.asked += [(self._name, ask) for ask in asks]
        await self._call(timeout)
        for ask in asks:
            ask.settle(Value(ask.key.encode(), node=self._name))

    async def send(self, message: Message[A], *, timeout: float) -> A:
        if isinstance(message, Probe):
            self._nodes.probed.append((self._name, timeout))
            await self._call(timeout, is_probe=True)
            return cast("A", Probed(draining=False, ring=0))
        self._nodes.sent.append((self._name, message, timeout))
        await self._call(timeout)
        if error := self._nodes.errors.get(self._name):
            raise error
        return cast("A", ())

    async def aclose(self) -> None:
        self._nodes.closed.append(self._name)

    async def _call(self, timeout: float, *, is_probe: bool = False) -> None:
        nodes, name = self._nodes, self._name
        gone = PeerUnavailable(f"node {name} can't be reached", node=name)
        if name in nodes.cut or (name in nodes.broken and not is_probe):
            raise gone
        nodes.under_way.append((name, timeout))
        try:
            if name in nodes.silent:
                await _over(timeout)
                raise DeadlineExceeded("no answer", node=name)
            if name in nodes.late and not is_probe:
                await _over(timeout)
                raise gone
        finally:
            nodes.under_way.remove((name, timeout))


async def _over(timeout: float) -> None:
    """Wait until a call's time is over."""
    if timeout == inf:
        await asyncio.Event().wait()
    await asyncio.sleep(timeout)

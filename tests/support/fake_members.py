"""Members whose answers to probes a test sets, for Peers and HealthMonitor in virtual time."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from task_peer import TaskPeer

from cache_core.cluster.health import SILENCE_SECONDS
from cache_core.cluster.link import Link
from cache_core.cluster.member import Member
from cache_core.cluster.peer import Ask, Peer, Watching
from cache_core.cluster.peers import Peers
from cache_core.errors import CacheError, DeadlineExceeded, PeerUnavailable
from cache_core.events import Event
from cache_core.messages import Message, Probed

ROUND_TRIP: Final = 0.001
"""Seconds that a node takes to answer, or to refuse a connection."""

SERVES: Final = Probed(draining=False, ring=0)
DRAINS: Final = Probed(draining=True, ring=0)
REFUSES: Final = PeerUnavailable("connection refused")


class FakeNode(TaskPeer):
    """A Peer that answers probes with `answer`, a CacheError being raised; None is silence.

    Asks stay in `asks` until the test settles them.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.answer: Probed | CacheError | None = SERVES
        self.delay = ROUND_TRIP
        self.silence = SILENCE_SECONDS
        self.asks: list[Ask] = []
        self.probes: list[float] = []
        self.probing = 0
        self.rings: list[int] = []
        self.connections = 0
        self.closing = 0.0

    @property
    def pauses(self) -> list[float]:
        """The times between the beginnings of probes."""
        return [two - one for one, two in zip(self.probes, self.probes[1:], strict=False)]

    async def probe(self) -> Probed:
        """Answer after `delay` seconds, or raise DeadlineExceeded after those of `silence`."""
        assert not self.probing, "two probes at once"
        self.probing += 1
        self.probes.append(asyncio.get_running_loop().time())
        answer = self.answer
        try:
            await asyncio.sleep(self.silence if answer is None else self.delay)
        finally:
            self.probing -= 1
        if answer is None:
            raise DeadlineExceeded(f"node {self.name} did not answer")
        if isinstance(answer, CacheError):
            raise answer
        return answer

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:  # noqa: ARG002
        self.rings.append(ring)
        self.asks += asks
        await asyncio.get_running_loop().create_future()

    async def send(self, message: Message[object], *, timeout: float) -> object:
        raise NotImplementedError

    async def aclose(self) -> None:
        await asyncio.sleep(self.closing)
        self.connections -= 1


class FakeMembers:
    """Nodes by their names, and the membership that lists them."""

    def __init__(self) -> None:
        self.nodes: dict[str, FakeNode] = {}
        self.events: list[Event] = []
        self.forgotten: list[str] = []
        self._lists: asyncio.Queue[frozenset[Member]] = asyncio.Queue()

    def __getitem__(self, name: str) -> FakeNode:
        return self.nodes.setdefault(name, FakeNode(name))

    def connect(self, name: str) -> Peer:
        """Return a connection to the node `name`."""
        node = self[name]
        node.connections += 1
        return node  # type: ignore[return-value] # its send answers nothing

    async def probe(self, link: Link) -> Probed:
        return await self[link.name].probe()

    def tell(self, *members: str) -> None:
        """Let the membership list these, each `host:port` or `host:port*weight`."""
        self._lists.put_nowait(frozenset(map(Member.parse, members)))

    async def watch(self) -> AsyncIterator[frozenset[Member]]:
        while True:
            yield await self._lists.get()

    @property
    def connected(self) -> set[str]:
        """The nodes to which there are connections."""
        return {node.name for node in self.nodes.values() if node.connections}

    def take_events(self) -> list[Event]:
        """Return the events since the last call."""
        events = self.events.copy()
        self.events.clear()
        return events

    @asynccontextmanager
    async def peers(
        self,
        *members: str,
        me: str | None = None,
        watch: Callable[[Peer], Watching | None] = lambda _: None,
    ) -> AsyncGenerator[Peers]:
        """Peers that follow the membership, once they know `members`; closed at the end."""
        peers = Peers(
            self.connect,
            self.probe,
            me=me,
            hook=self.events.append,
            forgot=self.forgotten.append,
            watch=watch,
            rng=random.Random(7),
        )
        if members:
            self.tell(*members)
        peers.follow(self.watch())
        try:
            if members:
                await peers.known()
                await peers.probed()
                self.events.clear()
            yield peers
        finally:
            await peers.aclose()


def owners(peers: Peers, keys: Iterable[str]) -> set[str | None]:
    """Return the members that are asked first for `keys`."""
    return {peers.owner(key) for key in keys}

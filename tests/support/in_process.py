"""Nodes in one process that reach each other without a wire, and what a test does to the way."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias, TypeVar

from task_peer import TaskPeer

from cache_core import Group
from cache_core.cluster.member import Member
from cache_core.cluster.peer import Ask
from cache_core.cluster.peers import Peers
from cache_core.errors import CacheError, DeadlineExceeded, PeerUnavailable
from cache_core.events import Event
from cache_core.messages import Health, Message, Notice
from cache_core.node.participant import Participant

A = TypeVar("A")

Deliver: TypeAlias = Callable[[], Awaitable[Any]]
"""Hands a message to its node, and returns the node's answer."""


def all_up(peers: Peers) -> bool:
    """Whether members are known, and all of them serve as far as `peers` sees."""
    return peers.are_known and all(
        peers.health(member.name) is Health.UP for member in peers.ring.members
    )


class Wires:
    """The ways to `nodes`, by name: those to one in `cut` fail, those in `frozen` say nothing."""

    def __init__(self) -> None:
        self.nodes: dict[str, Participant] = {}
        self.cut: set[str] = set()
        self.frozen: set[str] = set()
        self.late: list[asyncio.Event] = []
        """What the next answers wait for, each for one."""
        self.asked: list[tuple[str, str, bool]] = []
        """Each key asked of a node, and whether it was forwarded."""
        self.calls: list[tuple[str, int]] = []
        """Each call for keys, and how many it was for."""
        self.sent: list[tuple[str, object]] = []
        self.events: list[Event] = []
        self.carry: Callable[[str, Message[Any], Deliver], Awaitable[Any]] = at_once
        """Brings a message, by name of its node, and the answer back; a test may be slower."""
        self._happened = asyncio.Event()

    def connect(self, name: str) -> "WiredPeer":
        """Return the way to the node `name`."""
        return WiredPeer(name, self)

    def add(self, name: str, groups: Iterable[Group]) -> Participant:
        """Return the node `name`, which reaches the others through these wires."""
        self.nodes[name] = Participant(
            name,
            groups,
            self.connect,
            hook=self._note,
            clock=asyncio.get_running_loop().time,
            rng=random.Random(name),
        )
        return self.nodes[name]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds, which some event at a node makes true."""
        async with asyncio.timeout(10):
            while not condition():
                self._happened.clear()
                await self._happened.wait()

    def _note(self, event: Event) -> None:
        self.events.append(event)
        self._happened.set()


async def at_once(_node: str, _message: Message[Any], deliver: Deliver) -> Any:  # noqa: ANN401
    """Bring a message and its answer without delay."""
    return await deliver()


class WiredPeer(TaskPeer):
    """A Peer by way of plain calls."""

    def __init__(self, name: str, wires: Wires) -> None:
        self._name = name
        self._wires = wires

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:  # noqa: ARG002
        self._wires.calls.append((self._name, len(asks)))
        node = await self._reach()
        node.note_ring(ring)
        await asyncio.gather(*(self._answer(node, ask) for ask in asks))

    async def send(self, message: Message[A], *, timeout: float) -> A:
        self._wires.sent.append((self._name, message))

        async def deliver() -> A:
            return await (await self._reach()).receive(message)

        try:
            async with asyncio.timeout(timeout):
                answer: A = await self._wires.carry(self._name, message, deliver)
                return answer
        except TimeoutError as error:
            raise DeadlineExceeded("no answer", node=self._name) from error

    async def watch(self) -> AsyncGenerator[Notice, None]:
        node = await self._reach()
        async with aclosing(node.watchers.watch("somebody")) as notices:
            async for notice in notices:
                yield notice

    async def acknowledge(self, watcher: str, sequence: int) -> None:
        (await self._reach()).watchers.acknowledge(watcher, sequence)

    async def leave(self, watcher: str) -> None:
        (await self._reach()).watchers.leave(watcher)

    async def aclose(self) -> None:
        """Nothing is to be ended."""

    async def _answer(self, node: Participant, ask: Ask) -> None:
        self._wires.asked.append((self._name, ask.key, ask.forwarded))
        try:
            demand = ask.demand
            value = node.peek(ask.group, ask.key, forwarded=ask.forwarded, demand=demand)
            if value is None:
                value = await node.get(ask.group, ask.key, forwarded=ask.forwarded, demand=demand)
        except CacheError as error:
            ask.settle(error)
        else:
            if self._wires.late:
                await self._wires.late.pop(0).wait()
            ask.settle(value if value.node else value._replace(node=self._name))

    async def _reach(self) -> Participant:
        if self._name in self._wires.frozen:
            await asyncio.Event().wait()
        node = self._wires.nodes.get(self._name)
        if node is None or self._name in self._wires.cut:
            raise PeerUnavailable(f"node {self._name} can't be reached", node=self._name)
        return node


class Roster:
    """The members as a registry would tell them: to everyone, at once."""

    def __init__(self, *names: str) -> None:
        self._members = frozenset(map(Member, names))
        self._changed = asyncio.Condition()

    async def set(self, *names: str) -> None:
        """Let these be the members."""
        async with self._changed:
            self._members = frozenset(map(Member, names))
            self._changed.notify_all()

    async def join(self, member: Member) -> None:
        """Take part in nothing: a test says who the members are."""

    async def leave(self) -> None:
        """Take back nothing."""

    async def watch(self) -> AsyncIterator[frozenset[Member]]:
        """Yield the members, and again when they change."""
        while True:
            members = self._members
            yield members
            async with self._changed:
                while self._members == members:
                    await self._changed.wait()

"""A node without its sockets: its groups, its part in the cluster, and what it answers.

Knows no wire: other nodes are peers made by `connect`, and members come from an iterator.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final, TypeVar, cast

from cache_core.cluster.debts import Debts
from cache_core.cluster.health import SILENCE_SECONDS
from cache_core.cluster.link import Link
from cache_core.cluster.member import Member
from cache_core.cluster.peer import Peer
from cache_core.cluster.peers import Peers
from cache_core.cluster.watchers import Watchers
from cache_core.errors import KeyRequired, UnknownGroup
from cache_core.events import Hook
from cache_core.group.group import Group
from cache_core.messages import (
    Describe,
    HandOver,
    Health,
    Message,
    NodeInfo,
    Probe,
    Probed,
    Removal,
    RemoveEverywhere,
    RemoveHere,
    TakeOver,
)
from cache_core.node.handover import Handover
from cache_core.node.removal import Removals
from cache_core.node.shared_group import SharedGroup
from cache_core.value import Demand, Value

A = TypeVar("A")

JOIN_SECONDS: Final = 5.0
"""How long a node that starts waits until it knows the others and has probed them."""

LOOK_SECONDS: Final = 1.0
"""How long a node that leaves waits for members that may just be coming back."""


class Participant:
    """The node `name`, an address, with `groups`, among the members that it is told of.

    While it is not `is_ready`, it answers what it is asked, but tells nodes and clients that probe
    it to ask others.
    """

    def __init__(
        self,
        name: str,
        groups: Iterable[Group],
        connect: Callable[[str], Peer],
        *,
        hook: Hook | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self.name = name
        self.watchers = Watchers()
        self._clock = clock
        self._began = clock()
        self.is_ready = False
        self._mismatches = 0
        self.groups: dict[str, SharedGroup] = {}
        self._debts = Debts(self.groups.keys())
        self.peers = Peers(
            connect,
            self._probe,
            me=name,
            hook=hook,
            forgot=self._debts.owe_everything,
            rng=rng,
        )
        self._hook = hook
        for group in groups:
            self.add(group)
        self._removals = Removals(self.groups, self.peers, self.watchers, self._debts)
        self._handover = Handover(name, self.groups, self.peers, self._removals, self._debts)

    def add(self, group: Group) -> None:
        """Add `group` to the node's groups."""
        group.on_removed_beyond(lambda key: self._removals.again(Removal(group.name, key)))
        self.groups[group.name] = SharedGroup(
            group, self.peers, self.name, hook=self._hook, clock=self._clock
        )

    def drop(self, name: str) -> Awaitable[None]:
        """Take the group of that name out of the node's groups.

        Return an awaitable that ends the calls to other nodes for its keys.
        """
        self.disown(name)
        return self.groups.pop(name).aclose()

    def disown(self, name: str) -> None:
        """Have watchers drop their copies of the group of that name, changed or gone by now."""
        self._removals.tell_watchers((Removal(name),))

    def peek(
        self, group: str, key: str, *, forwarded: bool = False, demand: Demand = Demand.ANY
    ) -> Value | None:
        """Return the fresh value held for `key`, at once; None where `get` has to be asked.

        `forwarded` is set where another node asks. Where `demand` is NEW and the group allows that,
        no held value is returned. Raises KeyRequired and UnknownGroup.
        """
        if not key:
            raise KeyRequired
        return self._group(group).peek(key, forwarded=forwarded, demand=demand)

    async def get(
        self, group: str, key: str, *, forwarded: bool = False, demand: Demand = Demand.ANY
    ) -> Value:
        """Return the key's value, loading it or asking its owner, after `peek` has returned None.

        Raises UnknownGroup, what Group.get raises, and what a call to another node ends in, such as
        PeerUnavailable and DeadlineExceeded.
        """
        return await self._group(group).get(key, forwarded=forwarded, demand=demand)

    def note_ring(self, version: int) -> None:
        """Count a caller whose ring has another version than this node's; 0 stands for no ring."""
        if version and (own := self.peers.version):
            self._mismatches += version != own

    async def receive(self, message: Message[A]) -> A:
        """Return the answer to `message`. Raises CacheError."""
        return cast("A", await self._receive(message))

    def open(self, members: AsyncIterator[frozenset[Member]]) -> None:
        """Take part among the members that `members` yields."""
        self.peers.follow(members)

    async def take_own(self) -> None:
        """Take the entries that this node owns from the others, as far as they answer soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(JOIN_SECONDS):
                await self.peers.known()
                await self.peers.probed()
        await self._handover.join()

    def announce(self) -> None:
        """Let the others know at once that this node is ready."""
        for node in self.peers.others():
            self.peers.suspect(node)

    async def leave(self) -> bool:
        """Let other nodes own this node's keys and take its entries; return whether any serves.

        This node goes on answering.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self.peers.all_back()  # one that is just back is to take its part
        self.peers.leave()
        others = any(self.peers.health(node) is Health.UP for node in self.peers.others())
        await self._handover.offer()
        return others

    async def aclose(self) -> None:
        """End the calls to other nodes, and the connections to them."""
        for group in list(self.groups.values()):
            await group.aclose()
        await self._removals.aclose()
        await self.peers.aclose()

    def info(self) -> NodeInfo:
        """Return the node as it is now."""
        return NodeInfo(
            node=self.name,
            draining=not self.is_ready,
            ring=self.peers.version,
            members=self.peers.infos(),
            groups={name: group.info() for name, group in self.groups.items()},
            uptime=self._clock() - self._began,
            ring_mismatches=self._mismatches,
            watchers=len(self.watchers),
        )

    async def _receive(self, message: object) -> object:
        match message:
            case Probe():
                return self._probed(message)
            case RemoveEverywhere(what, timeout):
                return await self._removals.everywhere(what, timeout)
            case RemoveHere():
                return await self._removals.here(message)
            case TakeOver(node):
                if node == self.name:
                    return 0
                try:
                    return await self._handover.take(node)
                finally:
                    self.peers.drains(node)
            case HandOver(node):
                return await self._handover.give(node)
            case Describe():
                return self.info()
        raise TypeError(f"a node is told nothing like {type(message).__name__}")

    def _probed(self, probe: Probe) -> Probed:
        self.note_ring(probe.ring)
        self._removals.learn(probe.missed)
        missed: tuple[Removal, ...] = ()
        if probe.node is not None and probe.node != self.name:
            missed, _ = self._debts.of(probe.node)
            health = self.peers.health(probe.node)
            # Two that are not ready would probe each other on and on, without a pause.
            if health is Health.LEFT_OUT or (health is Health.DRAINING and self.is_ready):
                self.peers.suspect(probe.node)
        return Probed(
            not self.is_ready,
            self.peers.version,
            missed,
            self._debts.nodes,
            self.peers.answering(),
        )

    async def _probe(self, link: Link) -> Probed:
        missed, until = self._debts.of(link.name)
        probe = Probe(self.name, self.peers.version, missed)
        probed = await link.send(probe, timeout=SILENCE_SECONDS)
        self._debts.settle(link.name, until)
        self._removals.learn(probed.missed)
        self.note_ring(probed.ring)
        self.peers.meet(probed.nodes)
        return probed

    def _group(self, name: str) -> SharedGroup:
        group = self.groups.get(name)
        if group is None:
            raise UnknownGroup
        return group

"""Entries that change their owner: taken from a node that leaves, or by this one when it joins.

The node that takes entries asks for them, so that it knows of every removal from before the entries
were read until they are its own. Knows no wire.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Final

from cache_core.cluster.debts import Debts
from cache_core.cluster.member import Member
from cache_core.cluster.peers import Peers
from cache_core.cluster.ring import Ring
from cache_core.errors import CacheError
from cache_core.messages import Handed, HandOver, Health, Removal, TakeOver
from cache_core.node.removal import Removals
from cache_core.node.shared_group import SharedGroup

HANDED_BYTES: Final = 8 * 1024 * 1024
"""How many bytes one node gives another at the most, its groups together: 30,000 small entries,
which take about a second to travel."""

STEP: Final = 1_000
"""How many entries are stored at a time, so that no call waits for long."""

HANDOVER_SECONDS: Final = 5.0
"""How long a handover between two nodes may take."""


class Handover:
    """Hands entries of the node `me` over to other nodes, and takes its own from them.

    Nothing is taken from a node that has missed a removal and has not been told of it yet, as
    `debts` knows or as another node said when it was probed.
    """

    def __init__(
        self,
        me: str,
        groups: Mapping[str, SharedGroup],
        peers: Peers,
        removals: Removals,
        debts: Debts,
    ) -> None:
        self._me = me
        self._groups = groups
        self._peers = peers
        self._removals = removals
        self._debts = debts

    async def offer(self) -> None:
        """Have all other nodes that serve take the entries that they own once this one has left."""
        await asyncio.gather(*(self._offer(node) for node in self._serving()))

    async def join(self) -> int:
        """Take the entries that this node owns from all others that serve; return how many."""
        return sum(await asyncio.gather(*(self.take(node) for node in self._serving())))

    async def take(self, node: str) -> int:
        """Take the entries that this node owns from `node`; return how many are held now."""
        with self._removals.window() as removed:
            if self._has_missed(node):  # it may be told before what it read earlier is here
                return 0
            try:
                handed = await self._peers.link(node).send(
                    HandOver(self._me), timeout=HANDOVER_SECONDS
                )
            except CacheError:
                return 0  # they are loaded when they are asked for
            if self._has_missed(node):
                return 0
            taken = 0
            for first in range(0, len(handed), STEP):
                taken += sum(self._put(entry, removed) for entry in handed[first : first + STEP])
                await asyncio.sleep(0)
            return taken

    async def give(self, node: str) -> tuple[Handed, ...]:
        """Return the hottest of this node's entries that `node` owns, or is about to own."""
        wanted = self._wanted(node)
        limit = HANDED_BYTES // max(len(self._groups), 1)
        handed: list[Handed] = []
        for name, group in list(self._groups.items()):  # a reload may come meanwhile
            ttl = group.group.settings.ttl
            given_ttl = inf if ttl is None else ttl
            for step in group.group.hottest(limit, wanted):
                handed += [Handed(name, key, value, given_ttl) for key, value in step]
                await asyncio.sleep(0)
        return tuple(handed)

    def _wanted(self, node: str) -> Callable[[str], bool]:
        if self._peers.health(self._me) is Health.DRAINING:
            return lambda key: self._peers.owner(key) == node
        ring = self._peers.ring
        if all(member.name != node for member in ring.members):  # it has only just joined
            ring = Ring((*ring.members, Member(node)))
        return lambda key: ring.owner(key) == node

    def _has_missed(self, node: str) -> bool:
        return node in self._debts.nodes or node in self._peers.have_missed()

    def _put(self, entry: Handed, removed: Iterable[Removal]) -> bool:
        group = self._groups.get(entry.group)
        if group is None or Removal(entry.group) in removed:
            return False
        if Removal(entry.group, entry.key) in removed:
            return False
        return group.group.put(entry.key, entry.value, giver_ttl=entry.group_ttl)

    async def _offer(self, node: str) -> None:
        try:
            await self._peers.link(node).send(TakeOver(self._me), timeout=HANDOVER_SECONDS)
        except CacheError as error:
            self._peers.failed(node, error)

    def _serving(self) -> list[str]:
        return [node for node in self._peers.others() if self._peers.health(node) is Health.UP]

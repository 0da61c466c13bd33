"""Removal everywhere: after it, no read anywhere returns a value that was loaded before it.

Knows no wire. A removal makes two rounds over all nodes, including those that only other nodes
know. After the first, every value that a node holds or loads as its own is new; but meanwhile a
copy may have been made of an entry that a node had not yet removed. The second round removes such
copies. No more are made after it, because a copy is made of a node's own entry, never of a copy.
Watchers are told in the second, by the node that they watch, once that node has removed its own.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from cache_core.cluster.debts import Debts
from cache_core.cluster.peers import Peers
from cache_core.cluster.watchers import Watchers
from cache_core.errors import CacheError, PeerUnavailable, UnknownGroup
from cache_core.messages import Health, Removal, RemovedHere, RemoveHere
from cache_core.node.shared_group import SharedGroup

DEFAULT_SECONDS: Final = 2.0
"""How long a removal may take where its caller sets no deadline."""

TIER_SHARE: Final = 0.25
"""The share of a removal's time that the second tier may take."""

ROUND_SHARE: Final = 0.4
"""The share of the time left then that a round may take, so that the answer comes in time."""


class Removals:
    """Removes from this node's `groups`, and from every other node through `peers`."""

    def __init__(
        self, groups: Mapping[str, SharedGroup], peers: Peers, watchers: Watchers, debts: Debts
    ) -> None:
        self._groups = groups
        self._peers = peers
        self._watchers = watchers
        self._debts = debts
        self._windows: dict[int, set[Removal]] = {}
        self._telling: set[asyncio.Task[tuple[str, ...]]] = set()

    async def everywhere(self, item: Removal, timeout: float | None) -> tuple[str, ...]:
        """Remove `item` from this node, all others and the second tier.

        Return the names of the nodes, watchers and tier that were not reached. Nodes and the tier
        are told once they answer again. `timeout` is in seconds, DEFAULT_SECONDS where it is None
        or more. Raises UnknownGroup, and PeerUnavailable where this node does not know the others
        yet.
        """
        if not self._peers.are_known:
            raise PeerUnavailable("the node does not know its cluster yet")
        if item.group not in self._groups:
            raise UnknownGroup
        seconds = min(timeout or DEFAULT_SECONDS, DEFAULT_SECONDS)
        # First, so that no old value is looked up there once a node has removed its own.
        began = asyncio.get_running_loop().time()
        tier = await self._beyond(item, TIER_SHARE * seconds)
        limit = ROUND_SHARE * (seconds - (asyncio.get_running_loop().time() - began))
        unreached: dict[str, None] = {}
        told: dict[str, None] = {}
        first = RemoveHere((item,), last_round=False)
        await self.here(first)
        until = asyncio.get_running_loop().time() + limit
        # A node that is told may name one that this node doesn't know yet.
        while nodes := [node for node in self._peers.others() if node not in told]:
            told |= dict.fromkeys(nodes)
            await asyncio.gather(*(self._tell(node, first, until, unreached) for node in nodes))
        last = RemoveHere((item,), True, tuple(unreached), timeout=limit)
        until = asyncio.get_running_loop().time() + limit
        nodes = [node for node in self._peers.others() if node not in unreached]
        telling = asyncio.gather(*(self._tell(node, last, until, unreached) for node in nodes))
        own, _ = await asyncio.gather(self.here(last), telling)
        for node in self._peers.others():
            if node not in told:
                unreached[node] = None
                self._owe(node, last)
        return (*unreached, *own.unreached, *tier)

    def again(self, item: Removal) -> None:
        """Remove `item` once more: here now, and from the other nodes when they are probed.

        The second tier has only now been told of it, and nodes may have read it there meanwhile.
        """
        self.learn((item,))
        for node in self._peers.others():
            self._debts.owe(node, item)
            self._peers.suspect(node)

    async def here(self, message: RemoveHere) -> RemovedHere:
        """Remove the items of `message` from this node; in the last round, tell watchers too."""
        self._apply(message.items)
        self._peers.meet_unreached(message.unreached)
        others = self._peers.others()
        for node in message.unreached:
            if node in others:  # not this one itself
                self._owe(node, message)
        watchers: tuple[str, ...] = ()
        if message.last_round:
            watchers = await self._watchers.notify(message.items, message.timeout)
        return RemovedHere(watchers, self._peers.answering())

    def learn(self, items: Sequence[Removal]) -> None:
        """Remove `items` here, which this node has missed, and tell its watchers without waiting.

        The node that led their removal has named this node, and does not wait any more.
        """
        self._apply(items)
        self.tell_watchers(items)

    def tell_watchers(self, items: Sequence[Removal]) -> None:
        """Have watchers drop their copies of `items`, without waiting for them."""
        if items and len(self._watchers):
            telling = asyncio.create_task(self._watchers.notify(tuple(items)))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def aclose(self) -> None:
        """Tell watchers nothing more."""
        for telling in self._telling:
            telling.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _apply(self, items: Iterable[Removal]) -> None:
        """Remove `items` from this node's groups and from entries being taken over, at once."""
        for item in items:
            for window in self._windows.values():
                window.add(item)
            group = self._groups.get(item.group)
            if group is None:
                continue
            if item.key is None:
                group.flush()
            else:
                group.remove(item.key)

    @contextlib.contextmanager
    def window(self) -> Iterator[set[Removal]]:
        """Yield a set that collects the removals at this node while the body runs."""
        removed: set[Removal] = set()
        self._windows[id(removed)] = removed  # by identity, because equal sets are two windows
        try:
            yield removed
        finally:
            del self._windows[id(removed)]

    async def _beyond(self, item: Removal, seconds: float) -> tuple[str, ...]:
        """Remove `item` from the second tier; return its name where it was not reached."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                if await self._groups[item.group].group.remove_beyond(item.key):
                    return ()
        return (f"the tier of {item.group}",)

    async def _tell(
        self, node: str, message: RemoveHere, until: float, unreached: dict[str, None]
    ) -> None:
        """Send `message` to `node`; note in `unreached` the node, or its watchers, that miss it."""
        timeout = until - asyncio.get_running_loop().time()
        try:
            if timeout <= 0 or self._peers.health(node) is Health.LEFT_OUT:
                raise PeerUnavailable(f"node {node} is left out")
            answer = await self._peers.link(node).send(message, timeout=timeout)
        except CacheError:
            unreached[node] = None
            self._owe(node, message)
            self._peers.suspect(node)
        else:
            unreached |= dict.fromkeys(answer.unreached)
            self._peers.meet(answer.nodes)

    def _owe(self, node: str, message: RemoveHere) -> None:
        for item in message.items:
            self._debts.owe(node, item)

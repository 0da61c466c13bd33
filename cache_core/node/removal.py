"""Removing everywhere: after it, no read anywhere returns what was loaded before it.

Knows no wire. Two rounds over all nodes, those that only others know included. After the first,
whatever any node holds or loads as its own is new; but a copy may have been made meanwhile of what
a node had not yet removed. The second removes those, for a copy is made of what a node holds as
its own, never of a copy. Watchers are told in the second, by the node that they watch, once that
node has removed its own.
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
"""Of the time there is, what the second tier may take."""

ROUND_SHARE: Final = 0.4
"""Of the time left then, what a round may take: the answer names who was not reached, in time."""


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
        """Remove `item` from this node, all others and the second tier; return who was not reached.

        Those are told once they answer again. Raises UnknownGroup, and PeerUnavailable where
        this node does not know the others yet.
        """
        if not self._peers.are_known:
            raise PeerUnavailable("the node does not know its cluster yet")
        if item.group not in self._groups:
            raise UnknownGroup
        seconds = min(timeout or DEFAULT_SECONDS, DEFAULT_SECONDS)
        # First, so that nothing old is looked up there once a node has removed its own.
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
        """Remove `item` here and, once they are probed, from the others.

        A second tier has only now been told of it, which they may have read meanwhile.
        """
        self.learn((item,))
        for node in self._peers.others():
            self._debts.owe(node, item)
            self._peers.suspect(node)

    async def here(self, message: RemoveHere) -> RemovedHere:
        """Remove what `message` says from this node."""
        self._apply(message.items)
        self._peers.meet(message.unreached)
        others = self._peers.others()
        for node in message.unreached:
            if node in others:  # not this one itself
                self._owe(node, message)
        watchers: tuple[str, ...] = ()
        if message.last_round:
            watchers = await self._watchers.notify(message.items, message.timeout)
        return RemovedHere(watchers, self._peers.answering())

    def learn(self, items: Sequence[Removal]) -> None:
        """Remove `items` here, of which this node hears late, and tell its watchers behind.

        Whoever removed them has named this node, and does not wait any more.
        """
        self._apply(items)
        self.tell_watchers(items)

    def tell_watchers(self, items: Sequence[Removal]) -> None:
        """Have watchers drop their copies of `items`, and wait for no one."""
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
        """Remove `items` from this node's groups at once, what is being taken over included."""
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
        """Yield a set of all that is removed within the body."""
        removed: set[Removal] = set()
        self._windows[id(removed)] = removed  # by identity: sets that are equal are two windows
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
        """Tell `node`, and note who was not reached, itself or its watchers."""
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

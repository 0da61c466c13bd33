"""Who the members are, as each node and client is told in its own time, not always the same."""

import asyncio
import random
from collections.abc import AsyncIterator

from simulation.network import ROOT

from cache_core.cluster.member import Member


class Registry:
    """The list of members, and those who are told of it, each after a delay."""

    def __init__(self, members: list[Member], rng: random.Random, *, slowness: float) -> None:
        self.members = dict.fromkeys(members)
        self._rng = rng
        self._slowness = slowness
        self._views: dict[View, None] = {}

    def add(self, member: Member) -> None:
        """Let everyone know of `member`."""
        self.members[member] = None
        self._tell()

    def remove(self, member: Member) -> None:
        """Let everyone know that `member` is none."""
        self.members.pop(member, None)
        self._tell()

    def view(self, *hidden: Member, only: Member | None = None) -> "View":
        """Return a membership that never shows `hidden`, or nobody but `only`."""
        view = View(self, hidden, only)
        self._views[view] = None
        return view

    def forget(self, view: "View") -> None:
        """Tell `view` nothing more."""
        self._views.pop(view, None)

    def delay(self) -> float:
        """Return how long somebody takes to hear of a change."""
        return self._rng.expovariate(1 / self._slowness)

    def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        for view in self._views:
            loop.call_later(self.delay(), view.refresh, context=ROOT)


class View:
    """A Membership over the registry: one node's or client's."""

    def __init__(self, registry: Registry, hidden: tuple[Member, ...], only: Member | None) -> None:
        self._registry = registry
        self._hidden = hidden
        self._only = only
        self._changed = asyncio.Event()
        self.unheard: set[Member] = set()
        """Members of which it is not told yet."""

    def refresh(self) -> None:
        """Look at the list again."""
        self._changed.set()

    async def join(self, member: Member) -> None:
        self._registry.add(member)

    async def leave(self) -> None:
        """Nothing: the cluster takes a member that leaves from the list."""

    async def watch(self) -> AsyncIterator[frozenset[Member]]:
        await asyncio.sleep(self._registry.delay())
        last = None
        while True:
            self._changed.clear()
            seen = self._seen()
            if seen != last and seen:
                last = seen
                yield seen
            await self._changed.wait()

    def _seen(self) -> frozenset[Member]:
        if self._only is not None:
            return frozenset((self._only,))
        unseen = self.unheard.union(self._hidden)
        return frozenset(m for m in self._registry.members if m not in unseen)

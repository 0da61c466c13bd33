"""The members of a cluster as a node or a client sees them: which own a key, and which live.

Knows no wire and no registry: peers are made by `connect`, members come from an iterator.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Final

from cache_core.cluster.health import HealthMonitor, Probing
from cache_core.cluster.link import Link
from cache_core.cluster.member import Member
from cache_core.cluster.peer import Peer, Watching
from cache_core.cluster.ring import Ring
from cache_core.errors import CacheError, PeerUnavailable
from cache_core.events import Hook, MemberBack, MemberLeftOut, MembersChanged
from cache_core.messages import Health, MemberInfo

FORGET_SECONDS: Final = 60.0
"""How long a node that left the membership and doesn't answer is still told of removals."""

GOODBYE_SECONDS: Final = 15.0
"""The same for a node that said that it was leaving; it goes on serving for a while."""

REFUSE_SECONDS: Final = 2 * FORGET_SECONDS
"""How long a node that was forgotten stays so, whatever others tell of it. A node that hears of it
only now keeps it for FORGET_SECONDS, a pause between probes and a silent probe, and tells of it
until then."""

MOST_STRANGERS: Final = 1_000
"""How many nodes are known that are no members, at the most: anybody may tell of one."""

LOOK_PAUSE: Final = 0.1
"""Seconds between probes of members that are waited for: a connection that failed is made anew no
earlier."""


class Peers:
    """The live members, over a ring. Belongs to one event loop.

    `me` names the node that sees them so, None for a client: it is never contacted. A member
    that fails its probe or a call is left out until it answers again; when all are left out, all
    are asked. A node that left the membership stays known until it has not answered for a while;
    `forgot` is told of it then, unless it had said that it was leaving. `watch` makes the watch on
    a peer, or returns None.
    """

    def __init__(
        self,
        connect: Callable[[str], Peer],
        probe: Probing,
        *,
        me: str | None = None,
        hook: Hook | None = None,
        forgot: Callable[[str], None] = lambda _: None,
        watch: Callable[[Peer], Watching | None] = lambda _: None,
        rng: random.Random | None = None,
    ) -> None:
        self.ring = Ring(())
        self._connect = connect
        self._probe = probe
        self._me = me
        self._hook = hook
        self._forgot = forgot
        self._watch = watch
        self._rng = rng or random.Random()
        self._monitors: dict[str, HealthMonitor] = {}
        self._forgotten: dict[str, float] = {}
        self._candidates: frozenset[str] = frozenset()
        self._leaving = False
        self._known = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def follow(self, members: AsyncIterator[frozenset[Member]]) -> None:
        """Follow the members that `members` yields from now on, also after `aclose`."""
        self._leaving = False
        self._known.clear()
        self._following = asyncio.create_task(self._follow(members))

    @property
    def version(self) -> int:
        """The ring's version; 0 for fewer than two known members, because they share nothing."""
        return self.ring.version if len(self.ring.members) > 1 else 0

    @property
    def are_known(self) -> bool:
        """Whether the members are known."""
        return self._known.is_set()

    async def known(self) -> None:
        """Return once the members are known."""
        await self._known.wait()

    async def probed(self) -> None:
        """Return once every known node has been probed, also those that become known meanwhile."""
        while not all(monitor.probed.is_set() for monitor in self._monitors.values()):
            await asyncio.gather(*(monitor.probed.wait() for monitor in self._monitors.values()))

    async def all_back(self) -> None:
        """Return once all members serve, but for leaving ones; they are probed until then."""
        others = [self._monitor(name) for name in self._names() - {self._me}]
        while missing := [monitor for monitor in others if monitor.may_come_back]:
            for monitor in missing:
                monitor.look_again()
            await self.probed()
            await asyncio.sleep(LOOK_PAUSE)

    def leave(self) -> None:
        """Let `me` own nothing from now on, as long as other members serve."""
        self._leaving = True
        self._choose()

    def owner(self, key: str) -> str | None:
        """Return the member to ask for `key` first; None where no member is known."""
        if len(self._candidates) == len(self.ring.members):
            return self.ring.owner(key)
        return next(self.owners(key), None)

    def owners(self, key: str) -> Iterator[str]:
        """Yield the members to ask for `key`: the owner if it lives, then those taking over."""
        candidates = self._candidates
        return (name for name in self.ring.owners(key) if name in candidates)

    def link(self, name: str) -> Link:
        """Return the link to the node `name`, which is known from now on.

        Raises PeerUnavailable after `aclose`.
        """
        return self._monitor(name).link

    def meet(self, names: Iterable[str]) -> None:
        """Know the nodes `names` from now on, because another node has told of them.

        Beside the members, no more than MOST_STRANGERS are known.
        """
        for name in names:
            if len(self._monitors) >= len(self.ring.members) + MOST_STRANGERS:
                return
            if name != self._me:
                self._monitor(name)

    def meet_unreached(self, names: Iterable[str]) -> None:
        """Know the nodes `names` from now on, which another node knows but could not reach.

        One that this node has itself forgotten lately stays forgotten: else nodes would tell one
        another of a node that is gone for as long as there are removals.
        """
        now = asyncio.get_running_loop().time()
        self.meet(name for name in names if self._forgotten.get(name, 0.0) <= now)

    def others(self) -> tuple[str, ...]:
        """Return all known nodes but `me`.

        These are members, and nodes that lately were members, spoke to `me` or were told of.
        """
        return tuple(self._monitors)

    def answering(self) -> tuple[str, ...]:
        """Return those of `others` that are not left out."""
        monitors = self._monitors.items()
        return tuple(name for name, monitor in monitors if monitor.health is not Health.LEFT_OUT)

    def health(self, name: str) -> Health:
        """Return the health of the node `name`; LEFT_OUT where it is not known."""
        if name == self._me:
            return Health.DRAINING if self._leaving else Health.UP
        monitor = self._monitors.get(name)
        return monitor.health if monitor else Health.LEFT_OUT

    def have_missed(self) -> frozenset[str]:
        """Return the nodes that have missed a removal, as other nodes have said."""
        return frozenset().union(*(monitor.have_missed for monitor in self._monitors.values()))

    def failed(self, name: str, error: CacheError) -> None:
        """Leave `name` out until it answers a probe, because a call to it ended in `error`."""
        if monitor := self._monitors.get(name):
            monitor.fail(str(error))

    def suspect(self, name: str) -> None:
        """Probe `name` now."""
        self._monitor(name).suspect()

    def drains(self, name: str) -> None:
        """Note that `name` is about to leave: it is asked for nothing while others serve."""
        self._monitor(name).drains()

    def infos(self) -> tuple[MemberInfo, ...]:
        """Return the members as they are seen now, sorted by name."""
        shares = self.ring.shares()
        return tuple(
            MemberInfo(member.name, member.weight, self.health(member.name), shares[member.name])
            for member in sorted(self.ring.members)
        )

    async def aclose(self) -> None:
        """Stop following and probing, and end the connections."""
        if self._following is not None:
            following, self._following = self._following, None
            following.cancel()
            self._known.set()  # for callers of `known`: no member will come any more
            await asyncio.gather(following, return_exceptions=True)
        monitors, self._monitors = list(self._monitors.values()), {}
        await asyncio.gather(*(monitor.aclose() for monitor in monitors), *self._closing)

    async def _follow(self, members: AsyncIterator[frozenset[Member]]) -> None:
        async for current in members:
            self.ring = Ring(current)
            names = self._names()
            for name in sorted(names - {self._me}):
                self._monitor(name)
            self._choose()
            self._known.set()
            self._emit(MembersChanged(tuple(sorted(names)), self.ring.version))

    def _names(self) -> set[str]:
        return {member.name for member in self.ring.members}

    def _monitor(self, name: str) -> HealthMonitor:
        monitor = self._monitors.get(name)
        if monitor is None:
            if self._following is None:
                raise PeerUnavailable(f"the connection to node {name} was closed", node=name)
            link = Link(name, self._connect(name), lambda: self.version, watch=self._watch)
            self._monitors[name] = monitor = HealthMonitor(
                link, self._probe, changed=self._changed, unanswered=self._unanswered, rng=self._rng
            )
        return monitor

    def _changed(self, monitor: HealthMonitor, words: str) -> None:
        self._choose()
        if monitor.health is Health.LEFT_OUT:
            alarming = monitor.met and not monitor.said_goodbye
            self._emit(MemberLeftOut(monitor.name, words, alarming))
        elif monitor.health is Health.UP:
            self._emit(MemberBack(monitor.name))

    def _unanswered(self, monitor: HealthMonitor) -> None:
        if monitor.name in self._names():
            return
        now = asyncio.get_running_loop().time()
        limit = GOODBYE_SECONDS if monitor.said_goodbye else FORGET_SECONDS
        if now - monitor.left_out_since >= limit:
            del self._monitors[monitor.name]
            known = {name: until for name, until in self._forgotten.items() if until > now}
            self._forgotten = {**known, monitor.name: now + REFUSE_SECONDS}
            if not monitor.said_goodbye:
                self._forgot(monitor.name)
            closing = asyncio.create_task(monitor.aclose())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def _choose(self) -> None:
        """Choose the members to ask: all that serve, else all that are draining, else all."""
        by_health: dict[Health, set[str]] = {health: set() for health in Health}
        for member in self.ring.members:
            by_health[self.health(member.name)].add(member.name)
        best = by_health[Health.UP] or by_health[Health.DRAINING] or by_health[Health.LEFT_OUT]
        self._candidates = frozenset(best)

    def _emit(self, event: MembersChanged | MemberLeftOut | MemberBack) -> None:
        if self._hook is not None:
            self._hook(event)

"""A group whose keys are shared out over nodes; other owners are asked for theirs.

Knows no wire.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from cache_core.cluster.peers import Peers
from cache_core.errors import DeadlineExceeded, NotFound, PeerUnavailable
from cache_core.events import Hit, Hook, wants
from cache_core.group.group import Group
from cache_core.loading.singleflight import FlightEnded, Flights
from cache_core.memory.eviction import POLICIES
from cache_core.messages import GroupInfo, SharingStats
from cache_core.node.hot import HotCache
from cache_core.value import Demand, Value

FETCH_MARGIN: Final = 3.5
"""How many seconds more than a load may take an owner is waited for: one that died without a word
is left out by then."""


class SharedGroup:
    """Answers for `group` at the node `me`; keys of other owners are asked of them, by `peers`.

    Callers that ask for one key meanwhile share one call to its owner. Copies of others' popular
    entries are kept in the hot cache, which has a share of the group's budget.
    """

    def __init__(
        self,
        group: Group,
        peers: Peers,
        me: str,
        *,
        hook: Hook | None,
        clock: Callable[[], float],
    ) -> None:
        self.group = group
        self.name = group.name
        settings = group.settings
        self._peers = peers
        self._me = me
        self._hook = hook if wants(hook, Hit) else None
        self._hot = HotCache(
            group.reserve(settings.hot_share),
            POLICIES[settings.policy],
            max_value=settings.largest_value,
            ttl=settings.hot_ttl,
            clock=clock,
            terms=settings.terms,
        )
        self._fetches: Flights[Value] = Flights()
        # Apart, so that a failed reload fails no caller who would have had the value that is held.
        self._reloads: Flights[Value] = Flights()
        self._fetch_count = 0
        self._fetch_errors = 0
        self._forwarded = 0

    def follow(self, other: Group) -> Awaitable[None]:
        """Go by the settings, source and tier of `other` from now on, as Group.follow says."""
        done = self.group.follow(other, reserve=other.settings.hot_share)
        settings = self.group.settings
        self._hot.follow(
            self.group.reserve(settings.hot_share),
            POLICIES[settings.policy],
            max_value=settings.largest_value,
            ttl=settings.hot_ttl,
            terms=settings.terms,
        )
        return done

    def peek(self, key: str, *, forwarded: bool, demand: Demand = Demand.ANY) -> Value | None:
        """Return the fresh value held for `key`, at once; None where `get` has to be asked.

        A hot copy answers this node's own callers alone, so that copies are never copied.
        """
        self._forwarded += forwarded
        if demand is Demand.NEW and self.group.settings.client_reload:
            return None
        value = self.group.peek(key)
        if value is not None or forwarded or not key:
            return value
        if self._is_mine(key):
            return None
        value = self._hot.get(key)
        if value is None:
            return None
        if self._hook is not None:
            self._hook(Hit(self.name, key))
        return value._replace(copied=True)

    async def get(self, key: str, *, forwarded: bool, demand: Demand = Demand.ANY) -> Value:
        """Return the key's value, from here or its owner, once `peek` has returned None.

        Raises what Group.get raises, and what a call to another node ends in, such as
        PeerUnavailable and DeadlineExceeded.
        """
        if forwarded or not key or self._is_mine(key):
            return await self.group.get(key, demand)
        if demand is Demand.CACHED:  # in no flight: to join one could be to wait for a load
            return await self._fetch(key, demand)
        flights, keep = self._fetches, self._keep
        if demand is Demand.NEW and self.group.settings.client_reload:
            flights, keep = self._reloads, self._replace
        try:
            return await flights.join(key, partial(self._fetch, key, demand), partial(keep, key))
        except FlightEnded as error:
            raise PeerUnavailable("the node is stopping") from error

    def remove(self, key: str) -> None:
        """Remove the entry and the copy of `key`, and store nothing of what is under way for it."""
        self._fetches.fence(key)
        self._reloads.fence(key)
        self.group.remove(key)
        self._hot.remove(key)

    def flush(self) -> None:
        """Remove all entries and copies, and store nothing of what is under way."""
        self._fetches.fence_all()
        self._reloads.fence_all()
        self.group.flush()
        self._hot.flush()

    def sweep(self) -> int:
        """Free what has expired or was flushed, some thousands at most; return how many."""
        return self.group.sweep() + self._hot.sweep()

    def info(self) -> GroupInfo:
        """Return the settings and the figures as they are now."""
        sharing = SharingStats(
            hot_hits=self._hot.hits,
            fetches=self._fetch_count,
            fetch_errors=self._fetch_errors,
            forwarded=self._forwarded,
            hot=self._hot.stats(),
        )
        return GroupInfo(self.group.settings, self.group.stats(), sharing)

    async def aclose(self) -> None:
        """End the calls to other nodes."""
        await self._fetches.aclose()
        await self._reloads.aclose()

    def _is_mine(self, key: str) -> bool:
        owner = self._peers.owner(key)
        return owner is None or owner == self._me

    async def _fetch(self, key: str, demand: Demand) -> Value:
        """Ask the owner, and the next one only if it can't be reached; load here at `me`'s turn.

        A call's deadline is the group's limit for a load and FETCH_MARGIN, not that of the first
        caller, because others may wait for longer. When the last of them gives up, the call to the
        owner is cancelled.
        """
        self._fetch_count += 1
        timeout = self.group.settings.load_timeout + FETCH_MARGIN
        failed = False
        for owner in self._peers.owners(key):
            if owner == self._me:
                break
            try:
                value = await self._peers.link(owner).get(
                    self.name, key, forwarded=True, demand=demand, timeout=timeout
                )
                return value._replace(copied=True)
            except PeerUnavailable as error:
                self._peers.failed(owner, error)
                failed = True
            except NotFound:
                self._fetches.fence(key)
                self._hot.remove(key)
                raise
            except DeadlineExceeded:
                self._peers.suspect(owner)
                raise
        self._fetch_errors += failed
        return await self.group.get(key, demand)

    def _keep(self, key: str, value: Value) -> None:
        if value.copied:
            self._hot.offer(key, value)

    def _replace(self, key: str, value: Value) -> None:
        self._fetches.fence(key)  # what was asked for before may be older
        self._keep(key, value)

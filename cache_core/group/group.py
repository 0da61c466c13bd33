"""A group, and the algorithm of its get. Knows no sockets, no HTTP and no gRPC."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from math import inf

from cache_core.errors import InvalidKey, KeyRequired, NotCached, Overloaded, RetrieverFailed
from cache_core.events import Event, Hit, Hook, StaleHit, wants
from cache_core.group.counting import Counters
from cache_core.group.freshness import Freshness, rules_of
from cache_core.group.holdings import Holdings
from cache_core.group.loads import Loads
from cache_core.loading.loader import Loader
from cache_core.loading.origin import Origin
from cache_core.loading.retriever import Retriever, RetrieverFunction, as_retriever
from cache_core.loading.tier import Tier
from cache_core.loading.tiered import TieredOrigin
from cache_core.memory.entry import Entry
from cache_core.settings import GroupSettings
from cache_core.stats import GroupStats
from cache_core.value import Answer, Demand, Value, own_label


class Group:
    """A named set of keys with one retriever and the byte budget `settings.capacity`.

    `retriever` is a Retriever or a plain function from a key to its bytes, or to None where
    the source has no such key; `tier`, if there is one, is looked in before the source is asked.
    `clock` is in seconds and does not go back; `rng` spreads expiries and early refreshes.
    """

    def __init__(
        self,
        name: str,
        retriever: Retriever | RetrieverFunction,
        settings: GroupSettings | None = None,
        *,
        tier: Tier | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self.name = name
        self.settings = settings = settings or GroupSettings()
        self._terms = settings.terms
        self._rules = rules_of(settings)
        self._clock = clock
        self._random = rng or random.Random()
        self._hooks: list[Hook] = []
        self._hit_hooks: list[Hook] = []
        self._taken: Callable[[str | None], None] | None = None
        self._counters = Counters()
        self._holdings = Holdings(settings)
        self._cache = self._holdings.entries
        self._negatives = self._holdings.negatives
        self._failures = self._holdings.failures
        source = as_retriever(retriever, threads=settings.load_concurrency)
        self.origin = (
            Origin(source)
            if tier is None
            else TieredOrigin(source, tier, ttl=settings.ttl, clock=clock)
        )
        self._loads = Loads(
            name,
            settings,
            self._holdings,
            Loader(name, self.origin, settings),
            emit=self._emit,
            clock=clock,
            rng=self._random,
        )

    def observe(self, hook: Hook) -> None:
        """Tell `hook` of every event in this group from now on.

        A SelectiveHook that passes over Hit is told of no Hit.
        """
        self._hooks.append(hook)
        if wants(hook, Hit):
            self._hit_hooks.append(hook)

    def reserve(self, share: float) -> int:
        """Set `share` of the capacity aside, in place of an earlier share, to be spent elsewhere.

        Return how many bytes that is: fewer where negative entries and remembered failures need
        some. Call it before the group is used; later, it evicts entries that no longer fit.
        """
        return self._holdings.reserve(share)

    def follow(self, other: "Group", *, reserve: float = 0.0) -> Awaitable[None]:
        """Take the settings, source and tier of `other`, which must not be used any more.

        Entries stay as far as they fit the new budget less the share to `reserve`. The caller has
        to await what is returned: it applies a shorter TTL to the entries, and lets go of the old
        source once that source's loads have ended.
        """
        old, self.settings = self.settings, other.settings
        self._terms, self._rules = self.settings.terms, rules_of(self.settings)
        self._holdings.follow(other.settings, reserve=reserve)
        before, self.origin = self.origin, other.origin
        self.origin.succeed(before)
        if self.origin.removals is not None:
            self.origin.removals.taken = self._taken
        retired = self._loads.follow(other.settings, Loader(self.name, self.origin, self.settings))
        return self._retire(retired, old.ttl)

    def peek(self, key: str) -> Value | None:
        """Return the value held for `key` at once if it is fresh, else None.

        It is None too where an early refresh may be due. After None, the caller should `get`.
        """
        value = self._cache.read(key, self._clock(), self._rules.refresh_ahead)
        if value is not None:
            for hook in self._hit_hooks:
                hook(Hit(self.name, key))
        return value

    async def get(self, key: str, demand: Demand = Demand.ANY) -> Value:
        """Return the key's value as `demand` asks; gets that need a load of it share one.

        Raises KeyRequired, InvalidKey, NotFound, NotCached, RetrieverFailed, SourceUnavailable or
        Overloaded.
        """
        if not key:
            raise KeyRequired
        now = self._clock()
        entry = self._cache.entry(key)
        freshness = self._rules.judge(entry, now)
        if entry is None or freshness is Freshness.GONE:
            return await self._get_missing(key, now, demand)
        if demand is Demand.CACHED:
            return self._get_held(key, entry, freshness, now)
        if demand is Demand.NEW and self.settings.client_reload:
            return await self._get_anew(key, entry, now)
        if freshness is Freshness.FRESH:
            return self._get_fresh(key, entry, now)
        if freshness is Freshness.STALE:
            return self._get_stale(key, entry, now, Answer.STALE)
        if self._failures.source_fails or self._failures.holds(key, now):
            return self._get_stale(key, entry, now, Answer.STALE_ERROR)
        return await self._get_or_fall_back(key)

    def put(self, key: str, value: Value, *, giver_ttl: float | None = None) -> bool:
        """Hold `value`, handed over by another node, for what is left of its TTL.

        Where the group's is shorter than `giver_ttl`, as in Rules.taken_over, it is for no longer.

        Return whether it is held. It is refused if it is stale or too large, if the key is empty,
        if an entry of some use or a negative entry is held for the key, or if a load of it runs.
        """
        now, ttl = self._clock(), self._rules.taken_over(value, giver_ttl)
        if not key or (ttl is not None and ttl <= 0):
            return False
        held = self._rules.judge(self._cache.entry(key), now) is not Freshness.GONE
        if held or self._negatives.left(key, now) is not None or key in self._loads:
            return False
        # Its own TTL was jittered where it was loaded.
        chance = 0.0 if ttl == value.ttl else self._random.random()
        soft, hard = self._rules.expiries(now, ttl, chance)
        entry = Entry(value.data, now - value.age, soft, hard, own_label(value, self._terms))
        return self._holdings.store(key, entry, now)

    def hottest(
        self, limit_bytes: int, wanted: Callable[[str], bool]
    ) -> Iterator[list[tuple[str, Value]]]:
        """Yield the fresh entries whose keys are `wanted`, those read most first, in steps.

        Ends before their keys, values, labels and OVERHEAD sum to more than `limit_bytes`. Steps
        are short, and some are empty: a caller should let other tasks run between them. The group
        may change meanwhile; each entry is held at the moment when it is yielded.
        """
        return self._holdings.hottest(limit_bytes, wanted, self._clock)

    def remove(self, key: str) -> bool:
        """Remove `key` from memory, and let a load of it that runs now store nothing.

        Return whether anything was held. A later get loads anew.
        """
        self._loads.fence(key)
        return self._holdings.remove(key)

    def flush(self) -> None:
        """Remove all keys from memory, and let the loads that run now store nothing.

        It takes the same time for any size.
        """
        self._loads.fence_all()
        self._holdings.flush()

    async def remove_beyond(self, key: str | None) -> bool:
        """Remove `key`, or with None all keys, from the second tier, if there is one.

        Return False where the tier can't be reached; it is told as soon as it can be.
        """
        return self.origin.removals is None or await self.origin.removals.remove(key)

    def on_removed_beyond(self, taken: Callable[[str | None], None]) -> None:
        """Call `taken` with each key, None for all, that the second tier removes only later."""
        self._taken = taken
        if self.origin.removals is not None:
            self.origin.removals.taken = taken

    def sweep(self) -> int:
        """Free expired and flushed entries, some thousands at most; return how many."""
        return self._holdings.sweep(self._clock())

    def stats(self) -> GroupStats:
        """Return the group's figures as they are now."""
        return GroupStats(
            hits=self._cache.hits,
            stale_hits=self._counters.stale_hits,
            stale_errors=self._counters.stale_errors,
            negative_hits=self._negatives.hits,
            misses=self._counters.misses,
            loads=self._counters.loads,
            load_errors=self._counters.load_errors,
            overloads=self._counters.overloads,
            cache=self._cache.stats(),
            negatives=self._negatives.stats(),
            tier=self.origin.tier_stats(),
        )

    async def aclose(self) -> None:
        """End the loads that run, and let go of the source."""
        await self._loads.aclose()

    def _get_fresh(self, key: str, entry: Entry, now: float) -> Value:
        if self._rules.refresh_ahead and self._rules.is_due(entry, now, self._random.random()):
            self._loads.behind(key, now)
        return self._hit(key, entry, now)

    def _get_stale(self, key: str, entry: Entry, now: float, answer: Answer) -> Value:
        self._loads.behind(key, now)
        return self._stale_hit(key, entry, now, answer)

    def _get_held(self, key: str, entry: Entry, freshness: Freshness, now: float) -> Value:
        if freshness is Freshness.FRESH:
            return self._hit(key, entry, now)
        if freshness is Freshness.STALE:
            return self._stale_hit(key, entry, now, Answer.STALE)
        raise NotCached.of(key)

    async def _get_anew(self, key: str, entry: Entry, now: float) -> Value:
        if not self._rules.covers_failure(entry, now):
            value = await self._loads.through(key, anew=True)
        else:
            value = await self._get_or_fall_back(key)
            if value.answer not in {Answer.MISS, Answer.COLLAPSED}:
                return value
        return value._replace(answer=Answer.RELOAD)

    async def _get_missing(self, key: str, now: float, demand: Demand) -> Value:
        InvalidKey.check(key)
        anew = demand is Demand.NEW and self.settings.client_reload
        if not anew:
            missing = self._negatives.get(key, now)
            if missing is not None:
                raise missing
        if demand is Demand.CACHED:
            raise NotCached.of(key)
        return await self._loads.through(key, anew=anew)

    async def _get_or_fall_back(self, key: str) -> Value:
        try:
            return await self._loads.through(key, anew=True, has_fallback=True)
        except (RetrieverFailed, Overloaded):
            # Looked up again, because it may have been removed while the load ran.
            now, entry = self._clock(), self._cache.entry(key)
            freshness = self._rules.judge(entry, now)
            if entry is None or freshness is Freshness.GONE:
                raise
            if freshness is Freshness.FRESH:
                return self._get_fresh(key, entry, now)
            return self._get_stale(key, entry, now, Answer.STALE_ERROR)

    def _hit(self, key: str, entry: Entry, now: float) -> Value:
        self._cache.get(key, now)
        for hook in self._hit_hooks:
            hook(Hit(self.name, key))
        return entry.value(now, Answer.HIT, self._terms)

    def _stale_hit(self, key: str, entry: Entry, now: float, answer: Answer) -> Value:
        self._emit(StaleHit(self.name, key, answer))
        return entry.value(now, answer, self._terms)

    async def _retire(self, loader: Loader, ttl: float | None) -> None:
        """Apply the group's new TTL to the entries held if it is shorter; retire `loader`."""
        try:
            if self._rules.ttl is not None and self._rules.ttl < (inf if ttl is None else ttl):
                grace = max(self._rules.stale_while_revalidate, self._rules.stale_if_error)
                for _ in self._cache.shorten(self._rules.ttl, grace):
                    await asyncio.sleep(0)
        finally:
            await loader.retire()

    def _emit(self, event: Event) -> None:
        self._counters(event)
        for hook in self._hooks:
            hook(event)

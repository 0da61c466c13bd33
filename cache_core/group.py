"""Group.get: the algorithm. Knows no sockets, no HTTP and no gRPC."""

import random
import time
from collections.abc import Callable
from functools import partial
from math import inf
from typing import cast

from cache_core.cache import Cache
from cache_core.entry import Entry
from cache_core.errors import (
    InvalidKey,
    KeyRequired,
    NotFound,
    Overloaded,
    RetrieverFailed,
    SourceUnavailable,
)
from cache_core.events import Event, Hit, Hook, LoadFailed, LoadStarted, Miss, StaleHit
from cache_core.eviction import POLICIES
from cache_core.failures import Failures
from cache_core.freshness import Freshness, Rules
from cache_core.loader import Loader
from cache_core.negatives import Negatives
from cache_core.retriever import FunctionRetriever, Retriever, RetrieverFunction
from cache_core.settings import GroupSettings
from cache_core.singleflight import FlightEnded, Flights
from cache_core.stats import GroupStats
from cache_core.tally import Tally
from cache_core.value import Answer, Value

SMALL_SHARE = 20
"""Of the budget, a twentieth holds negative entries, and one more which loads failed lately."""

SWEEP_BEHIND = 16
"""How many expired entries are freed after each load, for groups that nobody sweeps."""


class Group:
    """A named set of keys with one retriever and the byte budget `settings.capacity`.

    `retriever` is a Retriever or a plain function from a key to its bytes, or to None where
    the source has no such key. `clock` is in seconds and does not go back; `rng` spreads
    expiries and early refreshes.
    """

    def __init__(
        self,
        name: str,
        retriever: Retriever | RetrieverFunction,
        settings: GroupSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self.name = name
        self.settings = settings = settings or GroupSettings()
        self._clock = clock
        self._random = (rng or random.Random()).random
        self._hooks: list[Hook] = []
        self._rules = Rules(
            ttl=settings.ttl,
            jitter=settings.jitter,
            stale_while_revalidate=settings.stale_while_revalidate,
            stale_if_error=settings.stale_if_error,
            refresh_ahead=settings.refresh_ahead,
        )
        share = settings.capacity // SMALL_SHARE
        negatives = share if settings.negative_ttl else 0
        refreshes = settings.stale_while_revalidate, settings.stale_if_error, settings.refresh_ahead
        failures = share if any(refreshes) else 0
        policy = POLICIES[settings.policy]
        self._budget = settings.capacity - negatives - failures
        self._cache = Cache(self._budget, policy, max_value=settings.largest_value)
        self._negatives = Negatives(negatives, policy, ttl=settings.negative_ttl)
        self._failures = Failures(failures, policy)
        self._loader = Loader(
            name,
            _as_retriever(retriever, threads=settings.load_concurrency),
            concurrency=settings.load_concurrency,
            queue=settings.load_queue,
            timeout=settings.load_timeout,
        )
        self._flights: Flights[Entry | NotFound] = Flights()
        self._tally = Tally()

    def observe(self, hook: Hook) -> None:
        """Tell `hook` of every event in this group from now on."""
        self._hooks.append(hook)

    def reserve(self, share: float) -> int:
        """Leave `share` of the capacity, in place of what was left before, to be spent elsewhere.

        Return the bytes: less where remembered failures need them. To be called before the
        group is used; later, it evicts what is too much.
        """
        reserved = min(int(self.settings.capacity * share), self._budget)
        if self._cache.capacity != self._budget - reserved:
            self._cache.resize(self._budget - reserved)
        return reserved

    def peek(self, key: str) -> Value | None:
        """Return the value held for `key` if it is fresh, at once; else None: ask `get`.

        None too where an early refresh may be due.
        """
        now = self._clock()
        entry = self._cache.read(key, now + self._rules.refresh_ahead)
        if entry is None:
            return None
        for hook in self._hooks:
            hook(Hit(self.name, key))
        return _value(entry, now, Answer.HIT)

    async def get(self, key: str) -> Value:
        """Return the key's value, loading it once however many ask meanwhile.

        Raises KeyRequired, InvalidKey, NotFound, RetrieverFailed, SourceUnavailable or Overloaded.
        """
        if not key:
            raise KeyRequired
        now = self._clock()
        entry = self._cache.entry(key)
        freshness = self._rules.judge(entry, now)
        if entry is None or freshness is Freshness.GONE:
            return await self._get_missing(key, now)
        if freshness is Freshness.FRESH:
            return self._get_fresh(key, entry, now)
        if freshness is Freshness.STALE:
            return self._get_stale(key, entry, now, Answer.STALE)
        if self._failures.source_fails or self._failures.holds(key, now):
            return self._get_stale(key, entry, now, Answer.STALE_ERROR)
        return await self._get_or_fall_back(key)

    def remove(self, key: str) -> bool:
        """Hold nothing for `key`, and store nothing of a load that runs now.

        Return whether something was held. A get that comes after loads anew.
        """
        self._flights.fence(key)
        return self._cache.remove(key) | self._negatives.remove(key)

    def flush(self) -> None:
        """Hold nothing, and store nothing of the loads that run now; as quick for any size."""
        self._flights.fence_all()
        self._cache.flush()
        self._negatives.flush()

    def sweep(self) -> int:
        """Free what has expired or was flushed, some thousands at most; return how many."""
        now = self._clock()
        return self._cache.sweep(now) + self._negatives.sweep(now) + self._failures.sweep(now)

    def stats(self) -> GroupStats:
        """Return the group's figures as they are now."""
        return GroupStats(
            hits=self._cache.hits,
            stale_hits=self._tally.stale_hits,
            stale_errors=self._tally.stale_errors,
            negative_hits=self._negatives.hits,
            misses=self._tally.misses,
            loads=self._tally.loads,
            load_errors=self._tally.load_errors,
            overloads=self._tally.overloads,
            cache=self._cache.stats(),
            negatives=self._negatives.stats(),
        )

    async def aclose(self) -> None:
        """End the loads that run, and let go of the source."""
        await self._flights.aclose()
        await self._loader.aclose()

    def _get_fresh(self, key: str, entry: Entry, now: float) -> Value:
        self._cache.get(key, now)
        for hook in self._hooks:
            hook(Hit(self.name, key))
        if self._rules.refresh_ahead and self._rules.is_due(entry, now, self._random()):
            self._refresh_behind(key, now)
        return _value(entry, now, Answer.HIT)

    def _get_stale(self, key: str, entry: Entry, now: float, answer: Answer) -> Value:
        self._emit(StaleHit(self.name, key, answer))
        self._refresh_behind(key, now)
        return _value(entry, now, answer)

    async def _get_missing(self, key: str, now: float) -> Value:
        try:
            key.encode()
        except UnicodeEncodeError as error:
            raise InvalidKey from error
        missing = self._negatives.get(key, now)
        if missing is not None:
            raise missing
        return await self._load_through(key)

    async def _get_or_fall_back(self, key: str) -> Value:
        try:
            # It goes on when its waiters give up: a source that hangs is known to fail once the
            # load has timed out, and from then on nobody waits for it.
            return await self._load_through(key, has_fallback=True)
        except (RetrieverFailed, Overloaded):
            # Looked up again, for it may have been removed while the load ran.
            now, entry = self._clock(), self._cache.entry(key)
            freshness = self._rules.judge(entry, now)
            if entry is None or freshness is Freshness.GONE:
                raise
            if freshness is Freshness.FRESH:
                return self._get_fresh(key, entry, now)
            return self._get_stale(key, entry, now, Answer.STALE_ERROR)

    async def _load_through(self, key: str, *, has_fallback: bool = False) -> Value:
        answer = Answer.COLLAPSED if key in self._flights else Answer.MISS
        if not has_fallback:
            self._emit(Miss(self.name, key, answer))
        load, settle = partial(self._load, key), partial(self._settle, key)
        keep = has_fallback or not self._loader.can_stop
        try:
            with self._loader.waiting_for(key):
                found = await self._flights.join(key, load, settle, keep=keep)
        except FlightEnded as error:
            raise SourceUnavailable(f"the load of group {self.name} was ended") from error
        if has_fallback:  # only now is it known not to be a stale hit
            self._emit(Miss(self.name, key, answer))
        if isinstance(found, NotFound):
            raise NotFound(found.message)
        return _value(found, self._clock(), answer)

    def _refresh_behind(self, key: str, now: float) -> None:
        if not self._failures.holds(key, now):
            load, settle = partial(self._load, key), partial(self._settle, key)
            self._flights.start_behind(key, load, settle)

    async def _load(self, key: str) -> Entry | NotFound:
        began = self._clock()

        def begin() -> None:
            nonlocal began
            began = self._clock()
            self._emit(LoadStarted(self.name, key))

        try:
            value = await self._loader.load(key, begin)
        except NotFound as error:
            self._failures.source_fails = False
            return error
        except (RetrieverFailed, Overloaded) as error:
            if isinstance(error, RetrieverFailed):
                self._failures.add(key, error, self._clock())
            self._emit(LoadFailed(self.name, key, error))
            raise
        self._failures.source_fails = False
        # From its beginning, for the source may have read the value right then.
        soft, hard = self._rules.expiries(began, value.ttl, self._random())
        return Entry(value.data, began - value.age, soft, hard)

    def _settle(self, key: str, found: Entry | NotFound) -> None:
        now = self._clock()
        self._cache.sweep(now, SWEEP_BEHIND)
        if isinstance(found, NotFound):
            self._cache.remove(key)
            self._negatives.add(key, found, now)
            return
        self._negatives.remove(key)
        if found.hard > now:
            self._cache.set(key, *found)
        else:
            self._cache.remove(key)

    def _emit(self, event: Event) -> None:
        self._tally(event)
        for hook in self._hooks:
            hook(event)


def _value(entry: Entry, now: float, answer: Answer) -> Value:
    ttl = None if entry.soft == inf else entry.soft - now
    return Value(entry.data, ttl, now - entry.loaded, answer)


def _as_retriever(given: Retriever | RetrieverFunction, *, threads: int) -> Retriever:
    if hasattr(given, "retrieve"):
        return cast("Retriever", given)  # also one that happens to be callable
    return FunctionRetriever(given, threads=threads)

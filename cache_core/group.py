"""Group.get: the algorithm. Knows no sockets, no HTTP and no gRPC."""

import random
import time
from collections.abc import Callable, Iterator
from functools import partial

from cache_core.entry import Entry
from cache_core.errors import (
    InvalidKey,
    KeyRequired,
    NotCached,
    NotFound,
    Overloaded,
    RetrieverFailed,
    SourceUnavailable,
)
from cache_core.events import Event, Hit, Hook, LoadFailed, LoadStarted, Miss, StaleHit
from cache_core.freshness import Freshness, Rules
from cache_core.holdings import Holdings
from cache_core.loader import Loader
from cache_core.retriever import Retriever, RetrieverFunction, as_retriever
from cache_core.settings import GroupSettings
from cache_core.singleflight import FlightEnded, Flights
from cache_core.stats import GroupStats
from cache_core.tally import Tally
from cache_core.value import Answer, Demand, Value


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
        self._terms = settings.terms
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
        self._holdings = Holdings(settings)
        self._cache = self._holdings.entries
        self._negatives = self._holdings.negatives
        self._failures = self._holdings.failures
        self._loader = Loader(
            name,
            as_retriever(retriever, threads=settings.load_concurrency),
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
        return self._holdings.reserve(share)

    def peek(self, key: str) -> Value | None:
        """Return the value held for `key` if it is fresh, at once; else None: ask `get`.

        None too where an early refresh may be due.
        """
        value = self._cache.read(key, self._clock(), self._rules.refresh_ahead)
        if value is not None:
            for hook in self._hooks:
                hook(Hit(self.name, key))
        return value

    async def get(self, key: str, demand: Demand = Demand.ANY) -> Value:
        """Return the key's value as `demand` asks, loading it once however many ask meanwhile.

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

    def put(self, key: str, value: Value) -> bool:
        """Hold `value`, handed over by another node, for what is left of its TTL.

        Return whether it is held: not where it isn't fresh or is too large, nor where something
        is held or being loaded for the key.
        """
        now = self._clock()
        if not key or (value.ttl is not None and value.ttl <= 0):
            return False
        held = self._rules.judge(self._cache.entry(key), now) is not Freshness.GONE
        if held or self._negatives.left(key, now) is not None or key in self._flights:
            return False
        # Its TTL had its jitter where it was loaded.
        soft, hard = self._rules.expiries(now, value.ttl, 0.0)
        return self._holdings.store(key, Entry(value.data, now - value.age, soft, hard), now)

    def hottest(
        self, limit_bytes: int, wanted: Callable[[str], bool]
    ) -> Iterator[list[tuple[str, Value]]]:
        """Give the fresh entries whose keys are `wanted`, those read most first, in steps.

        Ends before what they cost sums to more than `limit_bytes`. Steps are short, and some
        find nothing: a caller should let others run between them. The group may change
        meanwhile; what is yielded is held at that moment.
        """
        return self._holdings.hottest(limit_bytes, wanted, self._clock)

    def remove(self, key: str) -> bool:
        """Hold nothing for `key`, and store nothing of a load that runs now.

        Return whether something was held. A get that comes after loads anew.
        """
        self._flights.fence(key)
        return self._holdings.remove(key)

    def flush(self) -> None:
        """Hold nothing, and store nothing of the loads that run now; as quick for any size."""
        self._flights.fence_all()
        self._holdings.flush()

    def sweep(self) -> int:
        """Free what has expired or was flushed, some thousands at most; return how many."""
        return self._holdings.sweep(self._clock())

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
        if self._rules.refresh_ahead and self._rules.is_due(entry, now, self._random()):
            self._refresh_behind(key, now)
        return self._hit(key, entry, now)

    def _get_stale(self, key: str, entry: Entry, now: float, answer: Answer) -> Value:
        self._refresh_behind(key, now)
        return self._stale_hit(key, entry, now, answer)

    def _get_held(self, key: str, entry: Entry, freshness: Freshness, now: float) -> Value:
        if freshness is Freshness.FRESH:
            return self._hit(key, entry, now)
        if freshness is Freshness.STALE:
            return self._stale_hit(key, entry, now, Answer.STALE)
        raise NotCached.of(key)

    async def _get_anew(self, key: str, entry: Entry, now: float) -> Value:
        if not self._rules.covers_failure(entry, now):
            value = await self._load_through(key)
        else:
            value = await self._get_or_fall_back(key)
            if value.answer not in {Answer.MISS, Answer.COLLAPSED}:
                return value
        return value._replace(answer=Answer.RELOAD)

    async def _get_missing(self, key: str, now: float, demand: Demand) -> Value:
        InvalidKey.check(key)
        if demand is not Demand.NEW or not self.settings.client_reload:
            missing = self._negatives.get(key, now)
            if missing is not None:
                raise missing
        if demand is Demand.CACHED:
            raise NotCached.of(key)
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
        now = self._clock()
        if isinstance(found, NotFound):
            raise NotFound(found.message, ttl=self._negatives.left(key, now))
        stored = self._cache.entry(key) == found
        return found.value(now, answer, self._terms)._replace(stored=stored)

    def _hit(self, key: str, entry: Entry, now: float) -> Value:
        self._cache.get(key, now)
        for hook in self._hooks:
            hook(Hit(self.name, key))
        return entry.value(now, Answer.HIT, self._terms)

    def _stale_hit(self, key: str, entry: Entry, now: float, answer: Answer) -> Value:
        self._emit(StaleHit(self.name, key, answer))
        return entry.value(now, answer, self._terms)

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
        self._holdings.store(key, found, self._clock())

    def _emit(self, event: Event) -> None:
        self._tally(event)
        for hook in self._hooks:
            hook(event)

"""The loads of a group: one for a key at a time; what it finds is held. Knows no callers."""

import random
from collections.abc import Callable
from functools import partial

from cache_core.errors import NotFound, Overloaded, RetrieverFailed, SourceUnavailable
from cache_core.events import Event, LoadFailed, LoadStarted, Miss
from cache_core.group.freshness import rules_of
from cache_core.group.holdings import Holdings
from cache_core.loading.loader import Loader
from cache_core.loading.singleflight import FlightEnded, Flights
from cache_core.memory.entry import Entry
from cache_core.settings import GroupSettings
from cache_core.value import Answer, Value, own_label


class Loads:
    """Loads keys by `loader` and holds what it finds in `holdings`, for the group `name`.

    `settings` say how long that is of use. `emit` is told of every miss and load; `clock` and `rng`
    are a Group's.
    """

    def __init__(
        self,
        name: str,
        settings: GroupSettings,
        holdings: Holdings,
        loader: Loader,
        *,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self._name = name
        self._holdings = holdings
        self._emit = emit
        self._clock = clock
        self._random = rng.random
        self._flights: Flights[Entry | NotFound] = Flights()
        self._rules = rules_of(settings)
        self._terms = settings.terms
        self._loader = loader

    def follow(self, settings: GroupSettings, loader: Loader) -> Loader:
        """Load by `loader` from now on, and hold what it finds as `settings` say.

        Return the loader that was used before, whose loads go on.
        """
        self._rules = rules_of(settings)
        self._terms = settings.terms
        before, self._loader = self._loader, loader
        return before

    def __contains__(self, key: str) -> bool:
        return key in self._flights

    async def through(self, key: str, *, anew: bool = False, has_fallback: bool = False) -> Value:
        """Return the value that a load of `key` finds; callers that ask meanwhile share the load.

        With `anew` the source is asked even if a second tier has the key. `has_fallback` says that
        the caller has a stale value to answer where the load fails. Such a load goes on when all
        its waiters give up, so that it can time out: then a source that hangs is known to fail, and
        later gets do not wait for it. A load that can't be stopped goes on too. Raises what
        Loader.load raises; SourceUnavailable also where `aclose` ends the load.
        """
        answer = Answer.COLLAPSED if key in self._flights else Answer.MISS
        if not has_fallback:
            self._emit(Miss(self._name, key, answer))
        load, settle = partial(self._load, key, anew=anew), partial(self._settle, key)
        keep = has_fallback or not self._loader.can_stop
        try:
            with self._loader.waiting_for(key):
                found = await self._flights.join(key, load, settle, keep=keep)
        except FlightEnded as error:
            raise SourceUnavailable(f"the load of group {self._name} was ended") from error
        if has_fallback:  # only now is it known not to be a stale hit
            self._emit(Miss(self._name, key, answer))
        now = self._clock()
        if isinstance(found, NotFound):
            raise NotFound(found.message, ttl=self._holdings.negatives.left(key, now))
        stored = self._holdings.entries.entry(key) == found
        return found.value(now, answer, self._terms)._replace(stored=stored)

    def behind(self, key: str, now: float) -> None:
        """Start a load of `key` that nobody waits for, if none runs and none failed lately."""
        if not self._holdings.failures.holds(key, now):
            load, settle = partial(self._load, key, anew=True), partial(self._settle, key)
            self._flights.start_behind(key, load, settle)

    def fence(self, key: str) -> None:
        """Let a load of `key` that runs now store nothing."""
        self._flights.fence(key)

    def fence_all(self) -> None:
        """Let all loads that run now store nothing."""
        self._flights.fence_all()

    async def aclose(self) -> None:
        """End the loads that run, and let go of the source."""
        await self._flights.aclose()
        await self._loader.aclose()

    async def _load(self, key: str, *, anew: bool) -> Entry | NotFound:
        began = self._clock()
        is_asked = False
        failures = self._holdings.failures
        entry = self._holdings.entries.entry(key)
        held = None if entry is None else entry.value(began, Answer.MISS)

        def begin() -> None:
            nonlocal began, is_asked
            began = self._clock()
            is_asked = True
            self._emit(LoadStarted(self._name, key))

        try:
            value = await self._loader.load(key, begin, anew=anew, held=held)
        except NotFound as error:
            failures.source_fails = False
            return error
        except (RetrieverFailed, Overloaded) as error:
            if isinstance(error, RetrieverFailed):
                failures.add(key, error, self._clock())
            self._emit(LoadFailed(self._name, key, error))
            raise
        if is_asked:  # else a second tier had it
            failures.source_fails = False
        # The times count from the load's beginning: the source may have read the value right then.
        soft, hard = self._rules.expiries(began, value.ttl, self._random())
        return Entry(value.data, began - value.age, soft, hard, own_label(value, self._terms))

    def _settle(self, key: str, found: Entry | NotFound) -> None:
        self._holdings.store(key, found, self._clock())

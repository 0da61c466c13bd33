"""What a group that is reloaded may answer for each key, and what it must have closed."""

from math import inf

from fakes import FakeClock
from held_copy import Copy
from told_sources import ToldSource, ToldTier

from cache_core import (
    Answer,
    Group,
    GroupSettings,
    NotCached,
    NotFound,
    SourceUnavailable,
    Value,
)
from cache_core.stats import Cause

CHANCE = 0.5
"""What the group's chance always says."""


class ReloadModel:
    """The copies that a group over `source` and `tier` may hold and answer, told as a Listener.

    Every load's data is its own, so that each answer says which load it came from. What may be
    evicted is not known: each copy that is missing too early must be counted as evicted, and a
    fresh one in the step in which it goes.
    """

    source: ToldSource
    tier: ToldTier | None
    settings: GroupSettings
    group: Group

    def __init__(self, keys: list[str]) -> None:
        self.clock = FakeClock()
        self.keys = keys
        self.reserved = 0.0
        self.held: dict[str, Copy] = {}
        self.missing: dict[str, float] = {}
        self.owed: set[str | None] = set()
        self.taken: list[str | None] = []
        self.retired: list[tuple[ToldSource, ToldTier | None]] = []
        self.wrongs: list[str] = []
        self._removed = dict.fromkeys(keys, 0.0)
        self._began: dict[bytes, float] = {}
        self._failed: dict[str, float] = {}
        self._fails = False
        self._lost = 0
        self._evicted = 0
        self._told: dict[str, list[bytes | None]] = {}
        self._offered: dict[str, Copy] = {}

    # What happens

    def begin_step(self) -> None:
        self._evicted = self._evicted_by_now
        self._told.clear()
        self._offered.clear()

    def follow(self, settings: GroupSettings) -> None:
        """The group goes by `settings` from now on."""
        old, self.settings = self.settings.ttl, settings
        if settings.ttl is not None and settings.ttl < (inf if old is None else old):
            for key, copy in self.held.items():
                self.held[key] = copy.shortened(settings.ttl, self._grace)
        if not settings.negative_ttl:
            self.missing = {}

    def remove(self, keys: list[str]) -> None:
        for key in keys:
            self.held.pop(key, None)
            self.missing.pop(key, None)
            self._removed[key] = self.clock.now

    def found(self, key: str, began: float, found: Value | None) -> Value | None:
        self._fails = False
        if found is not None:
            found = found._replace(data=found.data + b" %d" % len(self._began))
            self._began[found.data] = began
        self._told.setdefault(key, []).append(found and found.data)
        if began >= self._removed[key]:
            self.held.pop(key, None)
            self.missing.pop(key, None)
            if found is not None:
                self._hold(key, self._copy_of(found, began))
            elif self.settings.negative_ttl:
                self.missing[key] = self.clock.now + self.settings.negative_ttl
        return found

    def failed(self, key: str) -> None:
        self._fails = True
        self._failed[key] = self.clock.now

    def offered_by_tier(self, key: str, value: Value | None) -> None:
        if value is not None and self._began[value.data] >= self._removed[key]:
            self._offered[key] = self._copy_of(value)

    # What may be answered

    def is_loaded(self, key: str) -> bool:
        """Whether a load of the key runs that no removal has fenced off."""
        sources = [self.source, *(source for source, _ in self.retired)]
        loads = [load for source in sources for load in source.under_way]
        return any(of == key and began >= self._removed[key] for of, began in loads)

    def may_fail(self, key: str) -> bool:
        """Whether the source is known to fail, as far as the key is concerned."""
        return self._fails or self.clock.now < self._failed.get(key, 0.0) + 1

    def judge_handover(
        self, key: str, value: Value, giver_ttl: float | None, *, is_taken: bool
    ) -> None:
        copy = self._copy_of(value, giver_ttl=giver_ttl, is_handed=True)
        before = self.held.get(key)
        is_of_use = copy.hard > self.clock.now
        if is_taken:
            assert is_of_use
            assert not self.is_loaded(key)
            assert not self._is_fresh(before)
            self._hold(key, copy)
        elif is_of_use and not self.is_loaded(key) and key not in self._missing_now():
            assert self._is_usable(before) or len(value.data) > self.settings.largest_value

    def judge_error(self, key: str, error: BaseException, before: Copy | None) -> None:
        """Judge the error of a get; `before` is the copy that was held when it began."""
        if isinstance(error, NotFound):
            assert None in self._told.get(key, []) or key in self._missing_now()
        elif isinstance(error, NotCached):
            if before and self._is_within(before, self.settings.stale_while_revalidate):
                self._lose(key)
        else:
            assert isinstance(error, SourceUnavailable)
            assert self._failed.get(key) == self.clock.now
            if self._is_usable(before):
                self._lose(key)

    def judge(self, key: str, value: Value, before: Copy | None, *, may_fail: bool) -> None:
        """Judge the answer of a get; `before` is the copy that was held when it began."""
        if value.answer in {Answer.MISS, Answer.COLLAPSED}:
            offered = self._offered.get(key)
            told = self._told.get(key, [])
            assert value.data in told or (offered is not None and value.data == offered.data)
            return
        assert before is not None
        assert value == self._answer(before, value.answer)
        if value.answer is Answer.HIT:
            assert self._is_fresh(before)
            return
        assert not self._is_fresh(before)
        if value.answer is Answer.STALE:
            assert self._is_within(before, self.settings.stale_while_revalidate)
        else:
            assert value.answer is Answer.STALE_ERROR
            assert self._is_within(before, self.settings.stale_if_error)
            assert may_fail or self._failed.get(key) == self.clock.now

    def judge_miss(self, before: Copy | None) -> None:
        """Judge that a get loaded its key, though `before` was held when it began."""
        if before is not None and self._is_within(before, self.settings.stale_while_revalidate):
            self._count_lost()

    # What is checked after each step

    def check(self) -> None:
        assert not self.wrongs
        lost = sum(self._check_held(key) for key in self.keys)
        assert lost <= self._evicted_by_now - self._evicted
        self._check_weights()
        self._check_owed()
        for source, tier in self.retired:
            is_over = not source.under_way
            assert source.closed == is_over
            assert tier is None or tier.closed == is_over
        assert not self.source.closed
        assert self.tier is None or not self.tier.closed

    def _check_held(self, key: str) -> bool:
        """Check what is held for `key`, and return whether a fresh copy was lost in this step."""
        value, copy, offered = self.group.peek(key), self.held.get(key), self._offered.get(key)
        if value is None:
            is_lost = self._is_fresh(copy)
            if is_lost:
                self._lose(key)
            return is_lost
        if offered is not None and value.data == offered.data:
            self.held[key] = copy = offered
        assert copy is not None
        assert self._is_fresh(copy)
        assert value == self._answer(copy, Answer.HIT)
        return False

    def _check_weights(self) -> None:
        stats, capacity = self.group.stats(), self.settings.capacity
        fresh = [copy.weight(key) for key, copy in self.held.items() if self._is_fresh(copy)]
        assert sum(fresh) <= stats.cache.bytes <= stats.cache.capacity
        assert len(fresh) <= stats.cache.entries
        if len(fresh) == stats.cache.entries:
            assert sum(fresh) == stats.cache.bytes
        left = capacity - int(capacity * self.reserved)
        assert left - capacity // 10 <= stats.cache.capacity <= left - stats.negatives.capacity
        assert stats.negatives.bytes <= stats.negatives.capacity
        assert (stats.negatives.capacity > 0) == (self.settings.negative_ttl > 0)

    def _check_owed(self) -> None:
        if self.tier is None:
            self.owed.clear()
        elif not self.tier.store.gone:
            assert set(self.taken) == self.owed
            self.owed.clear()
        self.taken.clear()
        stats = self.group.stats().tier
        assert (stats.owed if stats else 0) == len(self.owed)

    @property
    def _evicted_by_now(self) -> int:
        return self.group.stats().cache.removals[Cause.EVICTED]

    @property
    def _grace(self) -> float:
        return max(self.settings.stale_while_revalidate, self.settings.stale_if_error)

    def _missing_now(self) -> set[str]:
        return {key for key, until in self.missing.items() if self.clock.now < until}

    def _is_fresh(self, copy: Copy | None) -> bool:
        return copy is not None and self.clock.now < copy.soft

    def _is_within(self, copy: Copy, grace: float) -> bool:
        return self.clock.now < min(copy.hard, copy.soft + grace)

    def _is_usable(self, copy: Copy | None) -> bool:
        return copy is not None and self._is_within(copy, self._grace)

    def _copy_of(
        self,
        value: Value,
        began: float | None = None,
        giver_ttl: float | None = None,
        *,
        is_handed: bool = False,
    ) -> Copy:
        """What is held of `value`, of a load that began then or, without one, had elsewhere.

        It is fresh until its own time is over. For the group's time it is fresh where it has none
        of its own, and at most where it comes from a group that had more: from the load's beginning
        on or, without one, from when it was as new as its source. Jitter shortens what is left,
        but not once more the own time of what is handed over.
        """
        told = self.clock.now if began is None else began
        loaded = told - value.age
        ends = [] if value.ttl is None else [told + value.ttl]
        had_more = giver_ttl is not None and giver_ttl > (self.settings.ttl or inf)
        if self.settings.ttl is not None and (value.ttl is None or had_more):
            ends.append((loaded if began is None else began) + self.settings.ttl)
        soft = min(ends, default=inf)
        if not is_handed or value.ttl is None or soft < told + value.ttl:
            soft = told + (soft - told) * (1 - self.settings.jitter * CHANCE)
        content_type = "" if self.settings.content_type else value.terms.content_type
        return Copy(value.data, loaded, soft, soft + self._grace, content_type, value.version)

    def _hold(self, key: str, copy: Copy) -> None:
        if len(copy.data) <= self.settings.largest_value and self.clock.now < copy.hard:
            self.held[key] = copy

    def _lose(self, key: str) -> None:
        self.held.pop(key, None)
        self._count_lost()

    def _count_lost(self) -> None:
        self._lost += 1
        assert self._lost <= self._evicted_by_now

    def _answer(self, copy: Copy, answer: Answer) -> Value:
        terms = self.settings.terms
        terms = terms._replace(content_type=terms.content_type or copy.content_type)
        now = self.clock.now
        ttl = None if copy.soft == inf else copy.soft - now
        age = now - copy.loaded
        return Value(copy.data, ttl, age, answer, None, terms, version=copy.version)

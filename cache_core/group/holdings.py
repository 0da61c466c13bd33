"""All that a group holds, within one budget. Knows no sources and no flights."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from cache_core.errors import NotFound
from cache_core.group.failures import Failures
from cache_core.group.negatives import Negatives
from cache_core.memory.cache import OVERHEAD, Cache
from cache_core.memory.entry import Entry
from cache_core.memory.eviction import POLICIES
from cache_core.settings import GroupSettings
from cache_core.value import Answer, Value

SMALL_SHARE: Final = 20
"""A twentieth of the budget holds negative entries, and another the keys whose loads failed.

Entries have either part too where the settings have no use for it.
"""

SWEEP_BEHIND: Final = 16
"""How many expired entries are freed after each load at the most, for groups that nobody sweeps."""


class _Shares(NamedTuple):
    """The parts of a group's budget, in bytes."""

    entries: int
    negatives: int
    failures: int


class Holdings:
    """A group's `entries`, `negatives` and `failures`: together at most `settings.capacity`."""

    def __init__(self, settings: GroupSettings) -> None:
        policy = POLICIES[settings.policy]
        shares = _shares(settings)
        self._capacity = settings.capacity
        self._for_entries = shares.entries
        self.entries = Cache(
            shares.entries, policy, max_value=settings.largest_value, terms=settings.terms
        )
        self.negatives = Negatives(shares.negatives, policy, ttl=settings.negative_ttl)
        self.failures = Failures(shares.failures, policy)

    def follow(self, settings: GroupSettings, *, reserve: float) -> None:
        """Go by `settings` from now on, for what is held too; evict entries that no longer fit.

        `reserve` is the share of the budget to set aside, in place of an earlier share.
        """
        policy = POLICIES[settings.policy]
        shares = _shares(settings)
        self._capacity = settings.capacity
        self._for_entries = shares.entries
        self.entries.follow(policy, max_value=settings.largest_value, terms=settings.terms)
        self.reserve(reserve)
        self.negatives.follow(shares.negatives, policy, ttl=settings.negative_ttl)
        self.failures.follow(shares.failures, policy)

    def reserve(self, share: float) -> int:
        """Set `share` of the budget aside, in place of an earlier share, and return its bytes.

        It is taken from the entries' part, so it is no larger than that part.
        """
        reserved = min(int(self._capacity * share), self._for_entries)
        self.entries.resize(self._for_entries - reserved)
        return reserved

    def store(self, key: str, found: Entry | NotFound, now: float) -> bool:
        """Hold what a load of `key` found in place of what was held; return whether it is held."""
        self.entries.sweep(now, SWEEP_BEHIND)
        if isinstance(found, NotFound):
            self.entries.remove(key)
            return self.negatives.add(key, found, now)
        self.negatives.remove(key)
        if found.hard > now:
            return self.entries.set(key, *found)
        self.entries.remove(key)
        return False

    def hottest(
        self, limit_bytes: int, wanted: Callable[[str], bool], clock: Callable[[], float]
    ) -> Iterator[list[tuple[str, Value]]]:
        """Yield entries as Group.hottest says."""
        left = limit_bytes
        for keys in self.entries.keys_by_hits():
            now = clock()
            found = []
            for key in keys:
                entry = self.entries.entry(key)
                if entry is None or entry.soft <= now or not wanted(key):
                    continue
                left -= len(key.encode()) + len(entry.data) + OVERHEAD
                left -= sum(len(text.encode()) for text in entry.label)
                if left < 0:
                    break
                found.append((key, entry.value(now, Answer.HIT)))
            yield found
            if left < 0:
                return

    def remove(self, key: str) -> bool:
        """Remove the entry or negative entry of `key`; return whether there was one."""
        return self.entries.remove(key) | self.negatives.remove(key)

    def flush(self) -> None:
        """Remove all entries, negative ones too, in the same time for any size; keep failures."""
        self.entries.flush()
        self.negatives.flush()

    def sweep(self, now: float) -> int:
        """Free expired and flushed entries, some thousands at most; return how many."""
        return self.entries.sweep(now) + self.negatives.sweep(now) + self.failures.sweep(now)


def _shares(settings: GroupSettings) -> _Shares:
    share = settings.capacity // SMALL_SHARE
    negatives = share if settings.negative_ttl else 0
    refreshes = settings.stale_while_revalidate, settings.stale_if_error, settings.refresh_ahead
    failures = share if any(refreshes) else 0
    return _Shares(settings.capacity - negatives - failures, negatives, failures)

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
"""Of the budget, a twentieth holds negative entries, and one more which loads failed lately."""

SWEEP_BEHIND: Final = 16
"""How many expired entries are freed after each load, for groups that nobody sweeps."""


class _Shares(NamedTuple):
    """A group's budget, parted."""

    entries: int
    negatives: int
    failures: int


class Holdings:
    """`entries`, `negatives` and `failures`, which never sum to more than `settings.capacity`."""

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
        """Hold as `settings` say from now on, what is held too, evicting what is too much.

        `reserve` is the share to be left, in place of what was left before.
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
        """Leave `share` of the budget, in place of what was left before, and return its bytes.

        It is taken from the entries' part, so it is no more than that.
        """
        reserved = min(int(self._capacity * share), self._for_entries)
        self.entries.resize(self._for_entries - reserved)
        return reserved

    def store(self, key: str, found: Entry | NotFound, now: float) -> bool:
        """Hold what a load of `key` has found in place of what was held; return if it is held."""
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
        """Hold nothing for `key`; return whether something was held."""
        return self.entries.remove(key) | self.negatives.remove(key)

    def flush(self) -> None:
        """Hold nothing but which loads failed; as quick for any size."""
        self.entries.flush()
        self.negatives.flush()

    def sweep(self, now: float) -> int:
        """Free what has expired or was flushed, some thousands at most; return how many."""
        return self.entries.sweep(now) + self.negatives.sweep(now) + self.failures.sweep(now)


def _shares(settings: GroupSettings) -> _Shares:
    share = settings.capacity // SMALL_SHARE
    negatives = share if settings.negative_ttl else 0
    refreshes = settings.stale_while_revalidate, settings.stale_if_error, settings.refresh_ahead
    failures = share if any(refreshes) else 0
    return _Shares(settings.capacity - negatives - failures, negatives, failures)

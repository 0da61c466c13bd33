"""Negative entries: keys that the source has lately said it lacks. Knows no clock."""

from typing import Final

from cache_core.errors import NotFound
from cache_core.memory.cache import Cache
from cache_core.memory.eviction import PolicyFactory
from cache_core.stats import CacheStats

MAX_WORDS: Final = 2048
"""The longest message of a NotFound that is remembered, in bytes."""


class Negatives:
    """Remembers NotFounds for `ttl` seconds, in `capacity` bytes; with a `ttl` of 0, none."""

    def __init__(self, capacity: int, policy: PolicyFactory, *, ttl: float) -> None:
        self._cache = Cache(capacity, policy, max_value=MAX_WORDS)
        self._ttl = ttl

    def follow(self, capacity: int, policy: PolicyFactory, *, ttl: float) -> None:
        """Go by these settings from now on.

        Negative entries that fit into `capacity` stay until their old time is over.
        """
        self._cache.follow(policy, max_value=MAX_WORDS)
        self._cache.resize(capacity)
        self._ttl = ttl

    @property
    def hits(self) -> int:
        """How many gets were answered with a NotFound from here."""
        return self._cache.hits

    def add(self, key: str, error: NotFound, now: float) -> bool:
        """Remember `error` as what the source said of `key`; return whether it is remembered."""
        if not self._ttl:
            return False
        until = now + self._ttl
        return self._cache.set(key, error.message.encode(errors="replace"), now, until, until)

    def get(self, key: str, now: float) -> NotFound | None:
        """Return the NotFound remembered for `key` at `now` and count the hit, or return None."""
        found = self._cache.read(key, now)
        return None if found is None else NotFound(found.data.decode(), ttl=found.ttl)

    def left(self, key: str, now: float) -> float | None:
        """Return for how many seconds from `now` a NotFound is remembered for `key`, or None.

        Counts no hit.
        """
        entry = self._cache.entry(key)
        return entry.hard - now if entry is not None and now < entry.hard else None

    def remove(self, key: str) -> bool:
        """Remove the negative entry of `key`; return whether there was one."""
        return self._cache.remove(key)

    def flush(self) -> None:
        """Remove all negative entries."""
        self._cache.flush()

    def sweep(self, now: float) -> int:
        """Free expired and flushed entries, some thousands at most; return how many."""
        return self._cache.sweep(now)

    def stats(self) -> CacheStats:
        """Return the figures as they are now."""
        return self._cache.stats()

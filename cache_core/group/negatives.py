"""Negative entries: keys that the source has lately said it lacks. Knows no clock."""

from typing import Final

from cache_core.errors import NotFound
from cache_core.memory.cache import Cache
from cache_core.memory.eviction import PolicyFactory
from cache_core.stats import CacheStats

MAX_WORDS: Final = 2048
"""The longest words of a NotFound that are remembered, in bytes."""


class Negatives:
    """The NotFounds of the last `ttl` seconds, in `capacity` bytes; with a `ttl` of 0 none."""

    def __init__(self, capacity: int, policy: PolicyFactory, *, ttl: float) -> None:
        self._cache = Cache(capacity, policy, max_value=MAX_WORDS)
        self._ttl = ttl

    def follow(self, capacity: int, policy: PolicyFactory, *, ttl: float) -> None:
        """Remember by these from now on; what is remembered stays until its time is over."""
        self._cache.follow(policy, max_value=MAX_WORDS)
        self._cache.resize(capacity)
        self._ttl = ttl

    @property
    def hits(self) -> int:
        """How many gets were answered with a NotFound from here."""
        return self._cache.hits

    def add(self, key: str, error: NotFound, now: float) -> bool:
        """Remember that the source has said `error` of `key`; return whether it is."""
        if not self._ttl:
            return False
        until = now + self._ttl
        return self._cache.set(key, error.message.encode(errors="replace"), now, until, until)

    def get(self, key: str, now: float) -> NotFound | None:
        """Return what the source said of `key`, if that holds at `now`, and count the hit."""
        found = self._cache.read(key, now)
        return None if found is None else NotFound(found.data.decode(), ttl=found.ttl)

    def left(self, key: str, now: float) -> float | None:
        """Return for how long from `now` something is remembered of `key`, None where nothing is.

        Counts no hit.
        """
        entry = self._cache.entry(key)
        return entry.hard - now if entry is not None and now < entry.hard else None

    def remove(self, key: str) -> bool:
        """Remember nothing of `key`; return whether something was."""
        return self._cache.remove(key)

    def flush(self) -> None:
        """Remember nothing."""
        self._cache.flush()

    def sweep(self, now: float) -> int:
        """Free what no longer holds or was flushed, some thousands at most; return how many."""
        return self._cache.sweep(now)

    def stats(self) -> CacheStats:
        """Return the figures as they are now."""
        return self._cache.stats()

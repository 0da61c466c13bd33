"""The keys whose loads failed lately, so that a failing source is spared. Knows no clock."""

from typing import Final

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.memory.cache import Cache
from cache_core.memory.eviction import PolicyFactory

RETRY_PAUSE: Final = 1.0
"""Seconds after a key's failed load for which the key is not refreshed behind."""


class Failures:
    """Remembers the keys whose loads failed, each for RETRY_PAUSE, in `capacity` bytes.

    `source_fails` is true from a load that ended in SourceUnavailable until the source next gives a
    value or says NotFound.
    """

    def __init__(self, capacity: int, policy: PolicyFactory) -> None:
        self._cache = Cache(capacity, policy, max_value=0)
        self.source_fails = False

    def follow(self, capacity: int, policy: PolicyFactory) -> None:
        """Go by this capacity and policy from now on, for the keys remembered so far too."""
        self._cache.follow(policy, max_value=0)
        self._cache.resize(capacity)

    def add(self, key: str, error: RetrieverFailed, now: float) -> None:
        """Remember that a load of `key` failed at `now`."""
        self.source_fails |= isinstance(error, SourceUnavailable)
        self._cache.set(key, b"", now, now + RETRY_PAUSE, now + RETRY_PAUSE)

    def holds(self, key: str, now: float) -> bool:
        """Tell whether a load of `key` failed within RETRY_PAUSE before `now`."""
        return self._cache.get(key, now) is not None

    def sweep(self, now: float) -> int:
        """Forget failures older than RETRY_PAUSE, some thousands at most; return how many."""
        return self._cache.sweep(now)

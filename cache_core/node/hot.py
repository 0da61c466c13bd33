"""The hot cache: copies of other nodes' popular entries. Knows no peers and no ring."""

from collections.abc import Callable
from math import inf
from typing import Final

from cache_core.memory.cache import OVERHEAD, Cache
from cache_core.memory.eviction import PolicyFactory
from cache_core.node.popularity import MAX_WIDTH, Popularity
from cache_core.stats import CacheStats
from cache_core.value import NO_TERMS, Terms, Value, own_label

POPULAR: Final = 3
"""How often a key must have been asked for lately so that a copy of its value is kept."""

MIN_WIDTH: Final = 1024
"""The narrowest row of counts; where there is room for more copies, a row has one for each."""


class HotCache:
    """Holds copies in `capacity` bytes, each for `ttl` seconds at the most; none if `ttl` is 0.

    A copy ends when its owner's value does, if that is sooner. `policy`, `max_value` and `terms`
    are as a Cache's, `clock` as a Group's.
    """

    def __init__(
        self,
        capacity: int,
        policy: PolicyFactory,
        *,
        max_value: int,
        ttl: float,
        clock: Callable[[], float],
        terms: Terms = NO_TERMS,
    ) -> None:
        self._ttl = ttl
        self._clock = clock
        self._terms = terms
        # A copy's soft expiry is that of the owner's value, its hard expiry the copy's own end.
        self._cache = Cache(capacity, policy, max_value=max_value, terms=terms)
        width = min(max(capacity // OVERHEAD, MIN_WIDTH), MAX_WIDTH)
        self._popularity = Popularity(width)

    def follow(
        self, capacity: int, policy: PolicyFactory, *, max_value: int, ttl: float, terms: Terms
    ) -> None:
        """Go by these settings from now on; a copy that is held stays until its time is over."""
        self._ttl = ttl
        self._terms = terms
        self._cache.follow(policy, max_value=max_value, terms=terms)
        self._cache.resize(capacity)

    @property
    def hits(self) -> int:
        """How many gets were answered from a copy."""
        return self._cache.hits

    def get(self, key: str) -> Value | None:
        """Return the copy of the key's value, with the TTL that its owner would tell now.

        Counts as asking for the key, whether there is a copy or not.
        """
        self._popularity.bump(key)
        return self._cache.read(key, self._clock())

    def offer(self, key: str, value: Value) -> None:
        """Keep a copy of `value`, which its owner has sent, if it is fresh and the key popular.

        An older copy is not kept in any case.
        """
        now = self._clock()
        soft = inf if value.ttl is None else now + value.ttl
        hard = min(soft, now + self._ttl)
        if hard > now and self._popularity.count(key) >= POPULAR:
            label = own_label(value, self._terms)
            self._cache.set(key, value.data, now - value.age, soft, hard, label)
        else:
            self._cache.remove(key)

    def remove(self, key: str) -> bool:
        """Remove the copy of `key`; return whether there was one."""
        return self._cache.remove(key)

    def flush(self) -> None:
        """Remove all copies; takes the same time for any number."""
        self._cache.flush()

    def sweep(self) -> int:
        """Free the copies that ended or were flushed, some thousands at most; return how many."""
        return self._cache.sweep(self._clock())

    def stats(self) -> CacheStats:
        """Return the figures as they are now."""
        return self._cache.stats()

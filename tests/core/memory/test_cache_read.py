"""Reads: the hits that say what is left of an entry's times."""

from math import inf

import pytest

from cache_core.memory.cache import OVERHEAD, Cache
from cache_core.memory.eviction import POLICIES
from cache_core.value import Answer, Value

pytestmark = pytest.mark.parametrize("policy", POLICIES)


def cache_of(policy: str) -> Cache:
    """A cache with room for three entries of a one-letter key and an empty value."""
    return Cache(3 * (OVERHEAD + 1), POLICIES[policy], max_value=100)


def test_a_read_says_what_is_left_of_the_ttl_and_the_age(policy: str) -> None:
    cache = cache_of(policy)
    cache.set("a", b"", 5.0, 10.0, 20.0)
    cache.set("b", b"", 0.0, inf, inf)
    assert cache.read("a", 8.0) == Value(b"", 2.0, 3.0, Answer.HIT)
    assert cache.read("b", 8.0) == Value(b"", None, 8.0, Answer.HIT)
    assert cache.read("a", 10.0) is None
    assert cache.read("c", 8.0) is None
    assert cache.hits == 2


def test_a_read_finds_what_stays_fresh_for_long_enough_and_is_of_use_now(policy: str) -> None:
    cache = cache_of(policy)
    cache.set("a", b"", 0.0, 10.0, 5.0)
    assert cache.read("a", 4.0, ahead=5.9) is not None
    assert cache.read("a", 4.0, ahead=6.0) is None
    assert cache.read("a", 5.0) is None


def test_an_entry_that_is_read_in_either_way_outlives_those_that_are_not(policy: str) -> None:
    for read in (Cache.read, Cache.get):
        cache = cache_of(policy)
        for key in "abc":
            cache.set(key, b"", 0.0, inf, inf)
        for _ in range(2):
            read(cache, "a", 0.0)
        cache.set("d", b"", 0.0, inf, inf)
        assert cache.entry("a") is not None

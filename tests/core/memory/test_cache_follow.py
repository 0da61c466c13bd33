"""What a reload changes in a cache that is in use: its capacity, its policy, its words."""

from math import inf

import pytest

from cache_core.memory.cache import OVERHEAD, Cache
from cache_core.memory.eviction import POLICIES
from cache_core.stats import Cause
from cache_core.value import Terms

OTHERS = [(old, new) for old in POLICIES for new in POLICIES if old != new]


def cache_of(entries: int, policy: str) -> Cache:
    """A cache with room for so many entries of a two-letter key and an empty value."""
    return Cache(entries * (OVERHEAD + 2), POLICIES[policy], max_value=10_000)


def put(cache: Cache, *keys: str) -> None:
    for key in keys:
        assert cache.set(key, b"", 0.0, inf, inf)


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{chr(ord('A') + number)}" for number in range(count)]


def held(cache: Cache, keys: list[str]) -> list[str]:
    return [key for key in keys if cache.entry(key) is not None]


def read(cache: Cache, keys: list[str], times: int = 1) -> None:
    for key in keys * times:
        assert cache.read(key, 0.0) is not None


def test_max_value_counts_from_then_on() -> None:
    cache = cache_of(100, "lru")
    cache.follow(POLICIES["lru"], max_value=5)
    assert cache.set("aa", bytes(5), 0.0, inf, inf)
    assert not cache.set("bb", bytes(6), 0.0, inf, inf)
    cache.follow(POLICIES["lru"], max_value=50)
    assert cache.set("bb", bytes(50), 0.0, inf, inf)


def test_the_groups_words_are_new_on_what_was_held_before() -> None:
    cache = cache_of(5, "lru")
    put(cache, "aa")
    terms = Terms(1.0, 2.0, "text/css")
    cache.follow(POLICIES["lru"], max_value=100, terms=terms)
    value = cache.read("aa", 0.0)
    assert value is not None
    assert value.terms == terms


@pytest.mark.parametrize(("old", "new"), OTHERS)
def test_another_policy_takes_over_all_that_is_held_and_loses_nothing(old: str, new: str) -> None:
    cache = cache_of(20, old)
    keys = names("k", 20)
    put(cache, *keys)
    read(cache, keys[::2])
    cache.follow(POLICIES[new], max_value=100)
    assert held(cache, keys) == keys
    for key in keys:
        assert cache.get(key, 0.0) == b""
    cache.remove(keys[0])
    put(cache, *names("n", 21))
    assert (len(cache), cache.bytes) == (20, cache.capacity)
    cache.resize(0)
    assert cache.stats().removals[Cause.EVICTED] == 40


def test_the_new_policy_says_who_leaves_from_then_on_and_after_a_flush_too() -> None:
    cache = cache_of(3, "lru")
    put(cache, "aa", "bb", "cc")
    cache.follow(POLICIES["lfu"], max_value=100)
    for _ in range(2):
        read(cache, ["aa"], times=5)
        read(cache, ["bb", "cc"])
        put(cache, "dd")
        # The least recently used is aa, the least frequently used bb.
        assert held(cache, ["aa", "bb", "cc", "dd"]) == ["aa", "cc", "dd"]
        cache.flush()
        put(cache, "aa", "bb", "cc")


def test_the_same_policy_keeps_its_order() -> None:
    cache = cache_of(3, "lru")
    put(cache, "aa", "bb", "cc")
    read(cache, ["aa"])
    cache.follow(POLICIES["lru"], max_value=100)
    cache.resize(cache.capacity)
    put(cache, "dd")
    assert held(cache, ["aa", "bb", "cc", "dd"]) == ["aa", "cc", "dd"]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_smaller_capacity_keeps_what_was_read(policy: str) -> None:
    cache = cache_of(20, policy)
    keys = names("k", 20)
    put(cache, *keys)
    read(cache, keys[:10])
    cache.resize(cache.capacity // 2)
    assert held(cache, keys) == keys[:10]


def test_a_larger_capacity_is_used_to_its_last_byte() -> None:
    cache = cache_of(3, "s3fifo")
    put(cache, "aa", "bb", "cc")
    cache.resize(10 * (OVERHEAD + 2))
    put(cache, *names("n", 7))
    assert (len(cache), cache.bytes) == (10, cache.capacity)
    put(cache, "zz")
    assert (len(cache), cache.bytes) == (10, cache.capacity)


def test_the_small_queues_share_is_of_the_new_capacity() -> None:
    cache = cache_of(200, "s3fifo")
    put(cache, *(f"{number:02}" for number in range(100)))
    cache.resize(100 * (OVERHEAD + 2))
    hot = [f"{number:02}" for number in range(0, 100, 3)]
    put(cache, *names("w", 1))
    for key in hot:
        cache.get(key, 0.0)
    put(cache, *names("s", 58))
    put(cache, *names("t", 58))
    assert len(held(cache, hot)) >= len(hot) - 1
    assert len(held(cache, names("s", 58) + names("t", 58))) == 10

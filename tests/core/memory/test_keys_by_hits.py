"""The keys that a cache holds, the most read ones first."""

from itertools import chain
from math import inf

import pytest

from cache_core.memory.cache import OVERHEAD, SCAN_STEP, Cache
from cache_core.memory.eviction import POLICIES

pytestmark = pytest.mark.parametrize("policy", POLICIES)


def cache_of(policy: str, keys: list[str]) -> Cache:
    cache = Cache(1_000_000 * OVERHEAD, POLICIES[policy], max_value=100)
    for key in keys:
        cache.set(key, b"", 0.0, inf, inf)
    return cache


def keys_of(cache: Cache) -> list[str]:
    return list(chain.from_iterable(cache.keys_by_hits()))


def test_keys_come_by_their_reads_up_to_three_and_the_unread_ones_last(policy: str) -> None:
    cache = cache_of(policy, ["never", "thrice", "once", "often", "twice"])
    for key, times in (("once", 1), ("twice", 2), ("thrice", 3), ("often", 100)):
        for _ in range(times):
            cache.get(key, 0.0)
    assert keys_of(cache) == ["thrice", "often", "twice", "once", "never"]


def test_reads_of_every_kind_and_new_values_count_as_much_as_the_policy_looks_at(
    policy: str,
) -> None:
    cache = cache_of(policy, ["unread", "got", "read", "rewritten"])
    for _ in range(1_000):
        cache.get("got", 0.0)
        cache.read("read", 0.0)
        cache.set("rewritten", b"", 0.0, inf, inf)
    assert keys_of(cache) == ["got", "read", "rewritten", "unread"]


def test_each_key_held_comes_once_over_many_steps_and_none_that_has_left(policy: str) -> None:
    keys = [f"{number}" for number in range(3 * SCAN_STEP)]
    cache = cache_of(policy, keys)
    for key in keys[::7]:
        cache.remove(key)
    for key in keys[1::7]:
        cache.read(key, 0.0)
    left = [key for number, key in enumerate(keys) if number % 7]
    found = keys_of(cache)
    assert sorted(found) == sorted(left)
    assert found[: len(keys[1::7])] == keys[1::7]


def test_a_step_yields_a_bounded_number_of_keys(policy: str) -> None:
    cache = cache_of(policy, [f"{number}" for number in range(3 * SCAN_STEP)])
    assert max(map(len, cache.keys_by_hits())) <= SCAN_STEP


def test_a_cache_that_changes_between_two_steps_still_yields_what_stays(policy: str) -> None:
    keys = [f"{number}" for number in range(3 * SCAN_STEP)]
    cache = cache_of(policy, keys)
    found = set()
    for number, step in enumerate(cache.keys_by_hits()):
        found.update(step)
        cache.set(f"new {number}", b"", 0.0, inf, inf)
        if number == 1:
            cache.flush()
            cache.sweep(0.0, 10**6)
    assert found <= {*keys, *(f"new {number}" for number in range(100))}
    assert keys_of(cache)[0].startswith("new")

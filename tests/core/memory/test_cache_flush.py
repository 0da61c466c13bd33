"""What was flushed is let go of by sweeps, a little at a time."""

from itertools import count
from math import inf
from sys import getrefcount

import pytest

from cache_core.memory.cache import OVERHEAD, Cache
from cache_core.memory.eviction import POLICIES

pytestmark = pytest.mark.parametrize("policy", POLICIES)


def cache_of(entries: int, policy: str) -> Cache:
    """A cache with room for so many entries, with some bytes for the key and the value of each."""
    return Cache(entries * (OVERHEAD + 50), POLICIES[policy], max_value=100)


def put(cache: Cache, key: str, data: bytes = b"", *, until: float = inf) -> bool:
    return cache.set(key, data, 0.0, until, until)


def test_sweeps_free_what_was_flushed_in_bounded_steps(policy: str) -> None:
    cache = cache_of(1000, policy)
    data = b"some value of its own"
    unheld = getrefcount(data)
    for flushed in range(2):
        for key in range(500):
            put(cache, f"{flushed}-{key}", data)
        cache.flush()
    assert getrefcount(data) == unheld + 1000
    before = getrefcount(data)
    for step in count():
        freed = cache.sweep(0.0, limit=10)
        assert freed <= 10
        assert before - getrefcount(data) <= 10
        before = getrefcount(data)
        if not freed:
            break
        assert step < 1000
    assert getrefcount(data) == unheld


def test_sweeps_let_go_of_the_keys_that_were_flushed_in_bounded_steps(policy: str) -> None:
    cache = cache_of(1000, policy)
    keys = [f"key {number}" for number in range(500)]
    unheld = sum(map(getrefcount, keys))
    assert all(put(cache, key) for key in keys)
    cache.flush()
    before = sum(map(getrefcount, keys))
    while cache.sweep(0.0, limit=10):
        held = sum(map(getrefcount, keys))
        assert before - held <= 2 * 10
        before = held
    assert before == unheld


def test_a_sweep_of_what_expired_and_of_what_was_flushed_keeps_to_one_limit(policy: str) -> None:
    cache = cache_of(100, policy)
    for key in "abcdef":
        put(cache, key)
    cache.flush()
    for key in "ghij":
        put(cache, key, until=5.0)
    assert cache.sweep(10.0, limit=7) == 7
    assert len(cache) == 0
    assert cache.sweep(10.0, limit=5) == 5

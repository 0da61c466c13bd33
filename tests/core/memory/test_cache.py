"""The engine's promises by example; test_cache_model.py holds it to a model step by step."""

from math import inf

import pytest

from cache_core.memory.cache import OVERHEAD, SWEEP_STEP, Cache
from cache_core.memory.entry import Entry
from cache_core.memory.eviction import POLICIES
from cache_core.stats import Cause

pytestmark = pytest.mark.parametrize("policy", POLICIES)


def cache_of(entries: int, policy: str, *, max_value: int = 10_000) -> Cache:
    """A cache with room for so many entries of a one-letter key and an empty value."""
    return Cache(entries * (OVERHEAD + 1), POLICIES[policy], max_value=max_value)


def put(cache: Cache, key: str, data: bytes = b"", *, until: float = inf) -> bool:
    return cache.set(key, data, 0.0, until, until)


def removals(cache: Cache) -> dict[Cause, int]:
    """How many have left by cause, without the causes of none."""
    return {cause: times for cause, times in cache.stats().removals.items() if times}


def removed_bytes(cache: Cache) -> dict[Cause, int]:
    return {cause: size for cause, size in cache.stats().removed_bytes.items() if size}


def test_what_is_set_is_held_empty_bytes_included(policy: str) -> None:
    cache = cache_of(2, policy)
    assert put(cache, "a")
    assert cache.get("a", 0.0) == b""
    assert cache.entry("a") == Entry(b"", 0.0, inf, inf)
    assert cache.get("b", 0.0) is None
    assert cache.entry("b") is None
    assert not removals(cache)


def test_an_entry_is_charged_its_keys_utf8_its_value_and_the_overhead(policy: str) -> None:
    cache = cache_of(4, policy)
    put(cache, "é", b"12345")
    assert cache.bytes == 2 + 5 + OVERHEAD
    put(cache, "a", b"1")
    assert cache.stats().bytes == cache.bytes == 2 + 5 + 1 + 1 + 2 * OVERHEAD
    assert cache.stats().capacity == 4 * (OVERHEAD + 1)


def test_as_many_entries_are_held_as_the_capacity_takes_to_the_byte(policy: str) -> None:
    cache = cache_of(3, policy)
    for key in "abc":
        put(cache, key)
    assert (len(cache), cache.bytes) == (3, cache.capacity)
    put(cache, "d")
    assert (len(cache), cache.bytes) == (3, cache.capacity)
    assert removals(cache) == {Cause.EVICTED: 1}
    assert removed_bytes(cache) == {Cause.EVICTED: OVERHEAD + 1}


def test_one_large_value_evicts_no_more_than_it_needs_room_for(policy: str) -> None:
    cache = cache_of(10, policy)
    for key in "abcdefghij":
        put(cache, key)
    assert put(cache, "z", bytes(2 * (OVERHEAD + 1)))
    assert removals(cache) == {Cause.EVICTED: 3}
    assert (len(cache), cache.bytes) == (8, cache.capacity)


def test_replacing_a_key_with_a_larger_value_charges_it_once(policy: str) -> None:
    cache = cache_of(100, policy)
    put(cache, "a", b"x" * 10)
    put(cache, "a", b"x" * 1000)
    assert len(cache) == 1
    assert cache.bytes == 1 + 1000 + OVERHEAD
    assert removals(cache) == {Cause.REPLACED: 1}
    assert removed_bytes(cache) == {Cause.REPLACED: 1 + 10 + OVERHEAD}
    assert cache.get("a", 0.0) == b"x" * 1000


def test_a_replacement_that_needs_room_evicts_others_and_never_itself(policy: str) -> None:
    cache = cache_of(3, policy)
    for key in "abc":
        put(cache, key)
    assert put(cache, "a", bytes(2 * (OVERHEAD + 1)))
    assert cache.get("a", 0.0) == bytes(2 * (OVERHEAD + 1))
    assert removals(cache) == {Cause.EVICTED: 2, Cause.REPLACED: 1}
    assert len(cache) == 1


def test_a_value_over_the_budget_is_not_held_and_evicts_nothing_but_what_it_replaces(
    policy: str,
) -> None:
    cache = cache_of(3, policy)
    put(cache, "a")
    put(cache, "b")
    assert not put(cache, "a", b"x" * 3 * OVERHEAD)
    assert cache.get("a", 0.0) is None
    assert cache.get("b", 0.0) == b""
    assert removals(cache) == {Cause.REPLACED: 1, Cause.REJECTED: 1}
    assert removed_bytes(cache)[Cause.REJECTED] == 1 + 4 * OVERHEAD


def test_a_value_of_max_value_bytes_is_held_and_one_of_a_byte_more_is_not(policy: str) -> None:
    cache = cache_of(100, policy, max_value=50)
    assert put(cache, "a", bytes(50))
    assert not put(cache, "b", bytes(51))
    assert cache.entry("b") is None
    assert removals(cache) == {Cause.REJECTED: 1}


def test_an_entry_exactly_as_heavy_as_the_capacity_is_held_alone(policy: str) -> None:
    cache = cache_of(2, policy)
    put(cache, "a")
    assert put(cache, "b", bytes(OVERHEAD + 1))
    assert cache.entry("a") is None
    assert cache.bytes == cache.capacity
    assert not put(cache, "b", bytes(OVERHEAD + 2))
    assert (len(cache), cache.bytes) == (0, 0)


def test_a_cache_without_capacity_holds_nothing(policy: str) -> None:
    cache = Cache(0, POLICIES[policy], max_value=100)
    assert not put(cache, "a")
    assert removals(cache) == {Cause.REJECTED: 1}


def test_a_key_that_utf8_cannot_carry_changes_nothing(policy: str) -> None:
    cache = cache_of(2, policy)
    with pytest.raises(UnicodeEncodeError):
        put(cache, "\ud800")
    assert (len(cache), cache.bytes) == (0, 0)


def test_a_removed_key_is_gone_and_its_bytes_are_free(policy: str) -> None:
    cache = cache_of(2, policy)
    put(cache, "a", b"1")
    assert cache.remove("a")
    assert not cache.remove("a")
    assert cache.get("a", 0.0) is None
    assert cache.bytes == 0
    assert removed_bytes(cache) == {Cause.REMOVED: 2 + OVERHEAD}


def test_a_value_is_read_before_its_soft_expiry_and_looked_at_until_it_is_swept(
    policy: str,
) -> None:
    cache = cache_of(2, policy)
    cache.set("a", b"1", 5.0, 10.0, 20.0)
    assert cache.get("a", 9.9) == b"1"
    assert cache.get("a", 10.0) is None
    assert cache.sweep(19.0) == 0
    assert cache.entry("a") == Entry(b"1", 5.0, 10.0, 20.0)
    assert cache.sweep(21.0) == 1
    assert cache.entry("a") is None
    assert removed_bytes(cache) == {Cause.EXPIRED: 2 + OVERHEAD}


def test_hits_count_the_reads_that_found_a_fresh_value(policy: str) -> None:
    cache = cache_of(2, policy)
    put(cache, "a", until=10.0)
    for now in (0.0, 9.0, 10.0, 11.0):
        cache.get("a", now)
    cache.get("b", 11.0)
    cache.entry("a")
    assert cache.hits == 2


def test_a_replaced_value_leaves_no_expiry_behind(policy: str) -> None:
    cache = cache_of(2, policy)
    put(cache, "a", b"old", until=10.0)
    put(cache, "a", b"new")
    assert cache.sweep(1e9) == 0
    assert cache.get("a", 1e9) == b"new"


def test_a_slot_used_again_has_no_expiry_of_who_had_it_before(policy: str) -> None:
    cache = cache_of(1, policy)
    put(cache, "a", until=10.0)
    put(cache, "b")
    assert cache.entry("b") == Entry(b"", 0.0, inf, inf)
    assert cache.sweep(1e9) == 0
    assert cache.get("b", 1e9) == b""


def test_expired_values_are_freed_without_another_access_in_bounded_steps(policy: str) -> None:
    cache = cache_of(SWEEP_STEP * 3, policy)
    for number in range(SWEEP_STEP + 10):
        put(cache, f"{number}", until=10.0 + number % 7)
    assert cache.sweep(17.0) == SWEEP_STEP
    assert len(cache) == 10
    assert cache.sweep(17.0, limit=4) == 4
    assert cache.sweep(17.0, limit=100) == 6
    assert (len(cache), cache.bytes) == (0, 0)
    assert removals(cache) == {Cause.EXPIRED: SWEEP_STEP + 10}


def test_a_flushed_cache_holds_nothing_and_can_be_used_at_once(policy: str) -> None:
    cache = cache_of(4, policy)
    for key in "abc":
        put(cache, key, b"old", until=10.0)
    held = cache.bytes
    cache.flush()
    assert (len(cache), cache.bytes) == (0, 0)
    assert cache.get("a", 0.0) is None
    assert not cache.remove("b")
    put(cache, "a", b"new")
    assert cache.sweep(100.0) > 0
    assert cache.get("a", 100.0) == b"new"
    assert removed_bytes(cache) == {Cause.FLUSHED: held}
    assert cache.stats().entries == 1


def test_a_sweep_says_whether_there_was_anything_to_free(policy: str) -> None:
    cache = cache_of(10, policy)
    put(cache, "a", until=5.0)
    put(cache, "b")
    assert cache.sweep(4.0) == 0
    assert cache.sweep(10.0) == 1
    assert cache.sweep(10.0) == 0
    cache.flush()
    while cache.sweep(10.0, limit=1000):
        pass
    assert removals(cache) == {Cause.EXPIRED: 1, Cause.FLUSHED: 1}


def test_a_resized_cache_holds_no_more_than_its_new_capacity(policy: str) -> None:
    cache = cache_of(100, policy)
    for number in range(10, 99):
        put(cache, f"{number}", until=10.0)
    for _ in range(3):
        cache.read("50", 0.0)
    cache.resize(10 * (OVERHEAD + 2))
    assert (len(cache), cache.bytes) == (10, cache.capacity)
    assert cache.entry("50") is not None
    assert removals(cache) == {Cause.EVICTED: 79}
    cache.resize(20 * (OVERHEAD + 2))
    for number in range(100, 900):
        put(cache, f"{number}")
    assert cache.bytes <= cache.capacity == 20 * (OVERHEAD + 2)
    assert len(cache) == 19
    cache.sweep(100.0)
    assert cache.entry("50") is None


def test_a_cache_resized_to_nothing_holds_nothing(policy: str) -> None:
    cache = cache_of(3, policy)
    put(cache, "a")
    cache.resize(0)
    assert (len(cache), cache.bytes) == (0, 0)
    assert not put(cache, "a")

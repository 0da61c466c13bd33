"""What S3-FIFO promises beyond the contract of every policy."""

from itertools import count, cycle
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import CAPACITY, Shelf

from cache_core.memory.cache import MAX_HITS, OVERHEAD, Cache
from cache_core.memory.eviction.s3fifo import MAX_SPARED, S3FIFO, SMALL_SHARE
from cache_core.memory.slots import Slots
from cache_core.stats import Cause

KEY = 5
ENTRIES = 1000
SHARE = ENTRIES // SMALL_SHARE


def full_cache(prefix: str = "k", entries: int = ENTRIES) -> tuple[Cache, list[str]]:
    """A cache full of entries of the same weight, and their keys."""
    cache = Cache(entries * (OVERHEAD + KEY), S3FIFO, max_value=1000)
    return cache, scan(cache, prefix, entries)


def scan(cache: Cache, prefix: str, count: int) -> list[str]:
    """Set `count` keys that were never seen before."""
    keys = [f"{prefix}{number:0{KEY - len(prefix)}}" for number in range(count)]
    for key in keys:
        put(cache, key)
    return keys


def put(cache: Cache, key: str, data: bytes = b"") -> None:
    cache.set(key, data, 0.0, inf, inf)


def read(cache: Cache, keys: list[str], times: int = 1) -> None:
    for key in keys * times:
        cache.get(key, 0.0)


def held(cache: Cache, keys: list[str]) -> list[str]:
    return [key for key in keys if cache.entry(key) is not None]


def differ(one: str, other: str) -> bool:
    """Whether the two keys' fingerprints are in two cells of any ghost."""
    return (hash(one) ^ hash(other)) & 255 != 0


def evictions(cache: Cache) -> int:
    return cache.stats().removals[Cause.EVICTED]


def test_a_scan_does_not_evict_what_was_read() -> None:
    cache, keys = full_cache()
    hot = keys[::5]
    read(cache, hot)
    scan(cache, "s", 5 * ENTRIES)
    assert held(cache, hot) == hot


def test_a_scan_of_an_unread_cache_holds_no_more_than_the_small_queues_share() -> None:
    cache, keys = full_cache()
    scanned = scan(cache, "s", 5 * ENTRIES)
    # One key in millions has the fingerprint of one that was evicted, and is taken for it.
    assert len({*held(cache, scanned)} ^ {*scanned[-SHARE:]}) <= 2
    assert len({*held(cache, keys)} ^ {*keys[SHARE:]}) <= 2


@given(st.lists(st.integers(0, 900), min_size=3, max_size=20), st.integers(0, 20))
def test_the_small_queues_share_holds_in_bytes(sizes: list[int], read_of_them: int) -> None:
    cache = Cache(30 * (OVERHEAD + 450), S3FIFO, max_value=900)
    values = (bytes(size) for size in cycle(sizes))
    while not evictions(cache):
        put(cache, f"w{len(cache)}", next(values))
    read(cache, [f"w{number}" for number in range(read_of_them)])
    scanned = {f"s{number:03}": next(values) for number in range(100)}
    for key, value in scanned.items():
        put(cache, key, value)
    small = sum(len(key) + len(scanned[key]) + OVERHEAD for key in held(cache, list(scanned)))
    # An entry that leaves may be heavier than the one that it makes room for.
    assert small <= cache.capacity // SMALL_SHARE + KEY + 900 + OVERHEAD


def test_keys_read_in_every_round_stay_however_long_the_scan_between_them() -> None:
    cache, keys = full_cache()
    hot = keys[-400:]
    for number in range(20):
        read(cache, hot)
        scan(cache, f"{number:02}", 500)
    assert held(cache, hot) == hot


def test_a_key_that_left_lately_comes_back_to_the_main_queue_and_survives_a_scan() -> None:
    cache, _ = full_cache()
    left = scan(cache, "a", 2 * SHARE)[:SHARE]
    assert held(cache, left) == []
    for key in left:
        put(cache, key)
    scan(cache, "b", 5 * SHARE)
    # A cell of the ghost is shared by several keys' fingerprints, so some are forgotten.
    assert len(held(cache, left)) > SHARE * 3 // 4


@pytest.mark.parametrize("left", [f"left {number}" for number in range(10)])
def test_a_key_that_left_lately_is_known_though_the_main_queue_has_grown_since(left: str) -> None:
    shelf = Shelf("s3fifo")
    shelf.put(left, CAPACITY // SMALL_SHARE)
    for number in range(17):
        shelf.put(f"large {number}", CAPACITY // 20)
    assert shelf.evict() == left
    for number in range(200):
        shelf.read(shelf.put(f"small {number}", 1))
    # Its fingerprint must not take the place of the other's.
    unread = next(key for key in map("unread {}".format, count()) if differ(key, left))
    shelf.put(unread, CAPACITY // SMALL_SHARE)
    assert shelf.evict() == unread
    shelf.put(left, CAPACITY // SMALL_SHARE)
    assert shelf.evict() != left


def test_a_key_that_left_long_ago_comes_back_as_a_new_one() -> None:
    cache, _ = full_cache()
    left = scan(cache, "a", 2 * SHARE)[:SHARE]
    scan(cache, "b", 20 * ENTRIES)
    for key in left:
        put(cache, key)
    scan(cache, "c", 5 * SHARE)
    assert held(cache, left) == []


@pytest.mark.parametrize("incoming", [1, ENTRIES])
def test_an_all_hot_policy_evicts_with_a_bounded_number_of_entries_spared(incoming: int) -> None:
    slots = Slots()
    policy = S3FIFO(slots, ENTRIES)
    for number in range(ENTRIES):
        slot = slots.free.pop() if slots.free else slots.grow()
        slots.keys[slot] = f"{number}"
        slots.weights[slot] = 1
        policy.admit(slot)
        slots.hits[slot] = MAX_HITS
    for _ in range(ENTRIES):
        before = bytes(slots.hits)
        gone = policy.evict(incoming)
        slots.hits[gone] = before[gone]
        spared = sum(was != now for was, now in zip(before, slots.hits, strict=True))
        assert spared <= MAX_SPARED
        slots.release(gone)


def test_the_main_queue_spares_an_entry_once_for_each_read_up_to_three() -> None:
    cache, keys = full_cache(entries=100)
    main = keys[10:]
    read(cache, main[:1], times=10)
    read(cache, main[1:2], times=2)
    read(cache, main[2:3])
    lasted = dict.fromkeys(main[:4], 0)
    for number in range(400):
        # Read once in the small queue, the keys move on and push others out of the main one.
        key = f"m{number:04}"
        put(cache, key)
        read(cache, [key])
        for old in held(cache, list(lasted)):
            lasted[old] = number
    third, second, first, unread = lasted.values()
    assert third > second > first > unread


def test_keys_read_all_the_time_stay_however_many_others_are_read_once() -> None:
    cache, keys = full_cache(entries=100)
    hot = keys[-40:]
    for number in range(300):
        read(cache, hot)
        once = f"m{number:04}"
        put(cache, once)
        read(cache, [once])
    assert held(cache, hot) == hot
    assert evictions(cache) == 300


def test_setting_the_same_keys_over_and_over_evicts_nothing_where_they_fit() -> None:
    cache, keys = full_cache()
    for _ in range(20):
        for key in keys:
            put(cache, key)
    assert evictions(cache) == 0
    assert held(cache, keys) == keys


def test_removing_and_setting_the_same_keys_over_and_over_evicts_nothing() -> None:
    cache, keys = full_cache()
    for _ in range(20):
        for key in keys:
            cache.remove(key)
            put(cache, key)
    assert evictions(cache) == 0
    assert held(cache, keys) == keys


def test_keys_that_come_back_after_they_left_evict_one_entry_each() -> None:
    cache, keys = full_cache()
    more = keys + scan(cache, "m", ENTRIES // 5)
    for _ in range(10):
        for key in more:
            missing = cache.get(key, 0.0) is None
            before = evictions(cache)
            if missing:
                put(cache, key)
            assert evictions(cache) - before == missing
    assert len(cache) == ENTRIES


def test_new_values_of_what_was_read_keep_their_place_against_a_scan() -> None:
    cache, keys = full_cache()
    hot = keys[::5]
    read(cache, hot)
    scan(cache, "a", ENTRIES)
    assert held(cache, hot) == hot
    for key in hot:
        put(cache, key)
    scan(cache, "b", 5 * ENTRIES)
    assert held(cache, hot) == hot


def test_a_new_value_costs_a_key_of_the_main_queue_none_of_its_reads() -> None:
    cache, keys = full_cache(entries=100)
    rewritten, other = keys[10:12]
    scan(cache, "w", 20)
    read(cache, [rewritten, other], times=3)
    put(cache, rewritten)
    for number in range(400):
        key = f"m{number:04}"
        put(cache, key)
        read(cache, [key])
        if not held(cache, [rewritten]):
            break
    assert number < 399
    assert not held(cache, [other])


def test_a_key_that_came_back_once_and_was_removed_is_a_new_one() -> None:
    cache, _ = full_cache()
    left = scan(cache, "a", 2 * SHARE)[:SHARE]
    for key in left:
        put(cache, key)
    for key in left:
        assert cache.remove(key)
    for key in left:
        put(cache, key)
    scan(cache, "b", 5 * SHARE)
    assert held(cache, left) == []


def test_after_a_flush_the_main_queue_takes_what_the_small_one_has_no_room_for_again() -> None:
    cache, _ = full_cache()
    scan(cache, "a", ENTRIES)
    cache.flush()
    keys = scan(cache, "b", ENTRIES)
    scan(cache, "c", 5 * ENTRIES)
    assert held(cache, keys) == keys[SHARE:]

"""Copies under settings that change, and which keys count as popular then and for long."""

import pytest
from fakes import FakeClock

from cache_core import Terms, Value
from cache_core.memory.cache import OVERHEAD
from cache_core.memory.eviction import POLICIES
from cache_core.node.hot import POPULAR, HotCache
from cache_core.node.popularity import MAX_WIDTH
from cache_core.settings import MIB
from cache_core.value import NO_TERMS

PLAIN, PNG = Terms(content_type="text/plain"), Terms(content_type="image/png")
LRU = POLICIES["lru"]


@pytest.fixture
def hot(clock: FakeClock) -> HotCache:
    return HotCache(MIB, LRU, max_value=1_000, ttl=10, clock=clock, terms=PLAIN)


def follow(
    hot: HotCache,
    *,
    capacity: int = MIB,
    max_value: int = 1_000,
    ttl: float = 10,
    terms: Terms = PLAIN,
) -> None:
    hot.follow(capacity, LRU, max_value=max_value, ttl=ttl, terms=terms)


def offer(hot: HotCache, key: str, value: Value) -> None:
    for _ in range(POPULAR):
        hot.get(key)
    hot.offer(key, value)


def content_type(hot: HotCache, key: str) -> str | None:
    value = hot.get(key)
    assert value is not None
    return value.terms.content_type


def test_copies_have_the_content_type_that_the_new_terms_declare(hot: HotCache) -> None:
    offer(hot, "before", Value(b"", terms=PLAIN))
    follow(hot, terms=PNG)
    offer(hot, "after", Value(b"", terms=PLAIN))  # by a node that has not been reloaded yet
    for key in ("before", "after"):
        assert content_type(hot, key) == "image/png"


def test_copies_have_the_content_type_that_came_with_them_once_none_is_declared(
    hot: HotCache,
) -> None:
    follow(hot, terms=NO_TERMS)
    offer(hot, "k", Value(b"", terms=PNG))
    assert content_type(hot, "k") == "image/png"


def test_copies_are_kept_for_the_new_time_and_those_held_for_theirs(
    hot: HotCache, clock: FakeClock
) -> None:
    offer(hot, "before", Value(b""))
    follow(hot, ttl=5)
    offer(hot, "after", Value(b""))
    clock.tick(5)
    assert hot.get("before") is not None
    assert hot.get("after") is None
    clock.tick(5)
    assert hot.get("before") is None
    follow(hot, ttl=0)
    offer(hot, "never", Value(b""))
    assert hot.get("never") is None


def test_a_smaller_budget_holds_at_once(hot: HotCache) -> None:
    for number in range(10):
        offer(hot, str(number), Value(bytes(999)))
    follow(hot, capacity=5 * (OVERHEAD + 1_000))
    stats = hot.stats()
    assert (stats.entries, stats.capacity) == (5, 5 * (OVERHEAD + 1_000))
    assert stats.bytes <= stats.capacity
    follow(hot, capacity=0)
    offer(hot, "k", Value(b""))
    assert (hot.stats().entries, hot.stats().bytes) == (0, 0)


def test_the_largest_value_is_the_new_one(hot: HotCache) -> None:
    offer(hot, "k", Value(bytes(1_001)))
    assert hot.get("k") is None
    follow(hot, max_value=2_000)
    hot.offer("k", Value(bytes(1_001)))
    assert hot.get("k") is not None


@pytest.mark.parametrize("ttl", [0, -1])
def test_an_old_copy_goes_when_the_owner_sends_what_is_not_fresh(hot: HotCache, ttl: float) -> None:
    offer(hot, "k", Value(b"old"))
    hot.offer("k", Value(b"new", ttl))
    assert hot.get("k") is None


def test_an_old_copy_goes_when_its_key_is_not_popular_any_more(
    hot: HotCache, clock: FakeClock
) -> None:
    offer(hot, "k", Value(b"old", 60))
    for _ in range(MAX_WIDTH):
        hot.get("another")
    hot.offer("k", Value(b"new", 60))
    clock.tick(0.1)
    assert hot.get("k") is None


def test_gets_that_a_copy_answers_keep_its_key_popular(hot: HotCache, clock: FakeClock) -> None:
    offer(hot, "k", Value(b"1"))
    for number in range(MAX_WIDTH):
        hot.get("another")
        if number % 100 == 0:
            hot.get("k")
    clock.tick(10)
    hot.offer("k", Value(b"2"))
    copy = hot.get("k")
    assert copy is not None
    assert copy.data == b"2"


def test_where_there_is_room_for_many_copies_a_key_may_be_asked_for_seldom(
    clock: FakeClock,
) -> None:
    room = 16_384
    hot = HotCache(room * OVERHEAD, LRU, max_value=MIB, ttl=10, clock=clock)
    for _ in range(POPULAR):
        hot.get("k")
        for _ in range(room // 4):
            hot.get("another")
    hot.offer("k", Value(b"1"))
    assert hot.get("k") is not None

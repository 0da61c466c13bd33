from hypothesis import given
from hypothesis import strategies as st

from cache_core.cache import OVERHEAD, Cache, weight
from cache_core.eviction.lru import LRU
from cache_core.value import Value


def cache_of(entries: int) -> Cache:
    """A cache with room for so many entries of a one-letter key and an empty value."""
    return Cache(entries * (OVERHEAD + 1), LRU())


def test_what_is_set_is_held_empty_bytes_included() -> None:
    cache = cache_of(2)
    cache.set("a", Value(b""))
    assert cache.get("a") == Value(b"")
    assert cache.get("b") is None


def test_the_key_read_or_written_longest_ago_leaves_first() -> None:
    cache = cache_of(2)
    cache.set("a", Value(b""))
    cache.set("b", Value(b""))
    cache.get("a")
    cache.set("c", Value(b""))
    assert cache.get("a") is not None
    assert cache.get("b") is None
    assert cache.get("c") is not None


def test_replacing_a_key_charges_it_once() -> None:
    cache = cache_of(100)
    cache.set("a", Value(b"x" * 10))
    cache.set("a", Value(b"x" * 1000))
    assert len(cache) == 1
    assert cache.bytes == weight("a", Value(b"x" * 1000))


def test_a_value_over_the_budget_is_not_held_and_evicts_nothing_but_what_it_replaces() -> None:
    cache = cache_of(3)
    cache.set("a", Value(b""))
    cache.set("b", Value(b""))
    cache.set("a", Value(b"x" * 10_000))
    assert cache.get("a") is None
    assert cache.get("b") is not None


def test_a_removed_key_is_gone_and_its_bytes_are_free() -> None:
    cache = cache_of(2)
    cache.set("a", Value(b"1"))
    cache.remove("a")
    cache.remove("never held")
    assert cache.get("a") is None
    assert cache.bytes == 0


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.none() | st.binary(max_size=600)), max_size=80
    )
)
def test_the_bytes_held_are_what_is_charged_and_never_exceed_the_budget(
    steps: list[tuple[str, bytes | None]],
) -> None:
    cache = Cache(1500, LRU())
    for key, data in steps:
        if data is None:
            cache.remove(key)
        else:
            cache.set(key, Value(data))
        held = {key: cache.get(key) for key in "abcdefgh"}
        assert cache.bytes == sum(weight(k, v) for k, v in held.items() if v is not None)
        assert cache.bytes <= 1500

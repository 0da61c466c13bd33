"""A source's own words on one key's bytes: held with them, charged for, and let go with them."""

from collections.abc import Callable
from math import inf
from sys import getrefcount

import pytest

from cache_core.memory.cache import LABEL_OVERHEAD, OVERHEAD, Cache
from cache_core.memory.eviction import POLICIES
from cache_core.value import NO_LABEL, Answer, Label, Terms, Value

PNG = Label("image/png", '"1"')
TERMS = Terms(3.0, 4.0, "text/plain")
CHARGE = OVERHEAD + LABEL_OVERHEAD + 1 + len('image/png"1"')


def cache_of(entries: int, *, terms: Terms = TERMS) -> Cache:
    """A cache with room for so many entries of a one-letter key, an empty value and that label."""
    return Cache(entries * CHARGE, POLICIES["lru"], max_value=100, terms=terms)


def put(cache: Cache, key: str, label: Label = NO_LABEL, *, until: float = inf) -> None:
    assert cache.set(key, b"", 0.0, until, until, label)


def label_of(cache: Cache, key: str) -> Label:
    entry = cache.entry(key)
    assert entry is not None
    return entry.label


@pytest.mark.parametrize("label", [PNG, Label("image/png"), Label(version="v1"), Label("ä/é", "ü")])
def test_a_label_is_charged_its_utf8_and_an_overhead(label: Label) -> None:
    cache = cache_of(2)
    put(cache, "a", label)
    assert cache.bytes == OVERHEAD + LABEL_OVERHEAD + 1 + len("".join(label).encode())
    put(cache, "a")
    assert cache.bytes == OVERHEAD + 1
    cache.remove("a")
    assert cache.bytes == 0


def test_a_labelled_value_is_read_with_the_groups_terms_and_its_own_media_type() -> None:
    terms = TERMS._replace(content_type="")
    cache = cache_of(3, terms=terms)
    for key, label in (("png", PNG), ("versioned", Label(version="v1")), ("plain", NO_LABEL)):
        cache.set(key, b"", 0.0, 9.0, 20.0, label)
    own = terms._replace(content_type="image/png")
    assert cache.read("png", 2.0) == Value(b"", 7.0, 2.0, Answer.HIT, None, own, version='"1"')
    assert cache.read("versioned", 2.0) == Value(
        b"", 7.0, 2.0, Answer.HIT, None, terms, version="v1"
    )
    assert cache.read("plain", 2.0) == Value(b"", 7.0, 2.0, Answer.HIT, None, terms)


def test_a_media_type_that_the_group_declares_by_now_holds_for_labelled_values_too() -> None:
    cache = cache_of(1)
    put(cache, "a", PNG)
    value = cache.read("a", 2.0)
    assert value is not None
    assert (value.terms, value.version) == (TERMS, '"1"')


def test_a_labelled_value_without_expiry_has_no_ttl() -> None:
    cache = cache_of(1)
    put(cache, "a", PNG)
    value = cache.read("a", 2.0)
    assert value is not None
    assert (value.ttl, value.age) == (None, 2.0)


@pytest.mark.parametrize("label", [NO_LABEL, Label("text/css", "2")])
def test_a_new_value_has_nothing_of_the_label_of_the_one_before(label: Label) -> None:
    cache = cache_of(2)
    put(cache, "a", PNG)
    put(cache, "a", label)
    assert label_of(cache, "a") == label


def remove(cache: Cache) -> None:
    assert cache.remove("a")


def replace(cache: Cache) -> None:
    put(cache, "a")


def refuse(cache: Cache) -> None:
    assert not cache.set("a", bytes(101), 0.0, inf, inf)


def expire(cache: Cache) -> None:
    assert cache.sweep(9.0) == 1


def evict(cache: Cache) -> None:
    cache.resize(0)
    cache.resize(CHARGE)


def flush(cache: Cache) -> None:
    cache.flush()
    while cache.sweep(0.0, 100):
        pass


@pytest.mark.parametrize("end", [remove, replace, refuse, expire, evict, flush])
def test_a_label_ends_with_its_value_and_is_not_its_slots(end: Callable[[Cache], None]) -> None:
    cache = cache_of(1)
    label = Label("image/png", '"1"')
    unheld = getrefcount(label)
    put(cache, "a", label, until=5.0)
    assert getrefcount(label) == unheld + 1
    end(cache)
    assert getrefcount(label) == unheld
    cache.remove("a")
    assert cache.bytes == 0
    put(cache, "b")
    assert label_of(cache, "b") == NO_LABEL


def test_sweeps_free_the_labels_of_a_flush_in_bounded_steps() -> None:
    cache = cache_of(500)
    label = Label("image/png", '"1"')
    unheld = getrefcount(label)
    for number in range(300):
        put(cache, chr(number), label)
    assert getrefcount(label) == unheld + 300
    cache.flush()
    before = getrefcount(label)
    while cache.sweep(0.0, 10):
        assert before - getrefcount(label) <= 10
        before = getrefcount(label)
    assert getrefcount(label) == unheld

"""A reload's shorter TTL, over what is held at the time: more than one step of it."""

from collections.abc import Iterator
from math import inf
from typing import TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cache_core.memory.cache import OVERHEAD, Cache
from cache_core.memory.entry import Entry
from cache_core.memory.eviction import POLICIES
from cache_core.memory.expiry import SHORTEN_STEP
from cache_core.stats import Cause

KEY = 5
CHARGE = OVERHEAD + KEY
MANY = SHORTEN_STEP + 200

Life: TypeAlias = tuple[float, float | None, float]
"""When an entry was loaded, its TTL, None without end, and its grace."""

policies = st.sampled_from(list(POLICIES))
spans = st.floats(0, 900) | st.integers(0, 30).map(float)
lives = st.lists(st.tuples(spans, spans | st.none(), spans), min_size=1, max_size=7)
terms = st.tuples(spans, spans)
picks = st.lists(st.integers(0, MANY - 1), max_size=6)


def key_of(number: int, prefix: str = "k") -> str:
    return f"{prefix}{number:04}"


def entry_of(loaded: float, ttl: float | None, grace: float) -> Entry:
    soft = inf if ttl is None else loaded + ttl
    return Entry(b"", loaded, soft, soft + grace)


def shortened(entry: Entry, ttl: float, grace: float) -> Entry:
    """What the entry's times should be after a reload."""
    soft = entry.loaded + ttl
    if soft >= entry.soft:
        return entry
    return entry._replace(soft=soft, hard=min(entry.hard, soft + grace))


class Held:
    """A cache full of entries, beside a dict of what it should hold."""

    def __init__(self, policy: str, count: int, lives: list[Life]) -> None:
        self.cache = Cache(count * CHARGE, POLICIES[policy], max_value=100)
        self.model: dict[str, Entry] = {}
        for number in range(count):
            self.set(key_of(number), entry_of(*lives[number % len(lives)]))

    def set(self, key: str, entry: Entry) -> None:
        assert self.cache.set(key, *entry)
        self.model[key] = entry

    def remove(self, key: str) -> None:
        assert self.cache.remove(key) == (self.model.pop(key, None) is not None)

    def shorten(self, ttl: float, grace: float) -> Iterator[None]:
        """Shorten in steps; what comes between two of them is not shortened in the model."""
        before = dict(self.model)
        yield from self.cache.shorten(ttl, grace)
        for key, entry in before.items():
            if self.model.get(key) is entry:
                self.model[key] = shortened(entry, ttl, grace)

    def drop_evicted(self) -> None:
        self.model = {key: entry for key, entry in self.model.items() if self.cache.entry(key)}

    def assert_same(self) -> None:
        assert {key: self.cache.entry(key) for key in self.model} == self.model
        assert len(self.cache) == len(self.model)
        assert self.cache.bytes == len(self.model) * CHARGE

    def sweep_until(self, now: float) -> None:
        while self.cache.sweep(now):
            pass
        for key in [key for key in self.model if self.cache.entry(key) is None]:
            assert self.model.pop(key).hard <= now
        # Two seconds and a 64th of a life, as buckets are that wide.
        assert all(
            now < entry.hard + 2 + (entry.hard - entry.loaded) / 64 for entry in self.model.values()
        )
        self.assert_same()


@pytest.mark.parametrize(
    ("life", "expected"),
    [
        ((1.0, None, 0.0), (6.0, 8.0)),
        ((1.0, 50.0, 30.0), (6.0, 8.0)),
        ((1.0, 5.5, 0.75), (6.0, 7.25)),
        ((1.0, 5.0, 30.0), (6.0, 36.0)),
        ((1.0, 4.0, 0.0), (5.0, 5.0)),
    ],
)
def test_a_value_is_fresh_for_the_new_ttl_from_its_load_on_or_for_its_own_if_that_ends_before(
    life: Life, expected: tuple[float, float]
) -> None:
    held = Held("lru", 3, [(0.0, None, 0.0), life])
    for _ in held.cache.shorten(5.0, 2.0):
        pass
    entry = held.cache.entry(key_of(1))
    assert entry is not None
    assert (entry.soft, entry.hard) == expected
    held.cache.remove(key_of(1))
    assert held.cache.sweep(100.0) == 2
    assert (len(held.cache), held.cache.bytes, held.cache.sweep(100.0)) == (0, 0, 0)


def test_a_slot_that_was_free_at_a_reload_is_not_swept_after_it() -> None:
    held = Held("lru", 3, [(0.0, 50.0, 0.0)])
    held.remove(key_of(1))
    for _ in held.shorten(5.0, 2.0):
        pass
    held.set(key_of(7), entry_of(0.0, None, 0.0))
    held.sweep_until(100.0)
    assert list(held.model) == [key_of(7)]


@settings(max_examples=12, deadline=None)
@given(
    policy=policies,
    lives=lives,
    reloads=st.lists(terms, min_size=1, max_size=2),
    removed=picks,
    new=picks,
)
@example("lru", [(0.0, None, 0.0)], [(5.0, 3.0)], [], [])
@example("lru", [(0.0, 5.0, 30.0)], [(900.0, 0.0), (3.0, 900.0)], [], [1, 1])
def test_what_is_held_ends_as_early_as_a_reload_says_and_no_later_eviction_breaks_it(
    policy: str,
    lives: list[Life],
    reloads: list[tuple[float, float]],
    removed: list[int],
    new: list[int],
) -> None:
    held = Held(policy, MANY, lives)
    for ttl, grace in reloads:
        for number in removed:
            held.remove(key_of(number))
        for _ in held.shorten(ttl, grace):
            pass
        held.assert_same()
    for number in range(SHORTEN_STEP):
        held.set(key_of(number, "n"), entry_of(0.0, None, 0.0))
    held.drop_evicted()
    held.assert_same()
    for number in new:
        held.set(key_of(number), entry_of(900.0, 5.0, 0.0))
        held.drop_evicted()
    for now in (0.0, 10.0, 100.0, 905.0, 2_000.0, 4_000.0):
        held.sweep_until(now)
    assert all(entry.hard == inf for entry in held.model.values())
    evicted = held.cache.stats().removals[Cause.EVICTED]
    held.cache.resize(0)
    assert held.cache.stats().removals[Cause.EVICTED] == evicted + len(held.model)


@settings(max_examples=12, deadline=None)
@given(
    policy=policies,
    ttl=spans,
    grace=spans,
    removed=picks,
    replaced=picks,
    evicted=st.integers(0, 200),
)
def test_what_changes_between_two_steps_of_a_reload_keeps_its_own_times(
    policy: str,
    ttl: float,
    grace: float,
    removed: list[int],
    replaced: list[int],
    evicted: int,
) -> None:
    held = Held(policy, MANY, [(0.0, None, 0.0), (50.0, 300.0, 40.0)])
    for step, _ in enumerate(held.shorten(ttl, grace)):
        for number in removed:
            held.remove(key_of(number))
        for number in replaced:
            # Of a life that no reload here shortens.
            held.set(key_of(number), entry_of(1_000.0 + step, 0.0, 5.0))
        for number in range(evicted):
            held.set(key_of(number, f"{step}"), entry_of(1_000.0, 0.0, 7.0))
        held.drop_evicted()
    held.assert_same()
    for now in (0.0, 100.0, 1_003.0, 1_010.0, 3_000.0):
        held.sweep_until(now)
    assert not held.model


@pytest.mark.parametrize("policy", POLICIES)
def test_a_reload_that_is_left_in_the_middle_by_a_flush_touches_nothing_that_is_new(
    policy: str,
) -> None:
    held = Held(policy, MANY, [(0.0, 100.0, 0.0)])
    steps = held.cache.shorten(5.0, 0.0)
    next(steps)
    held.cache.flush()
    held.model.clear()
    for number in range(MANY):
        held.set(key_of(number), entry_of(0.0, 200.0, 0.0))
    held.cache.sweep(0.0, 100)
    for _ in steps:
        held.cache.sweep(0.0, 100)
    held.assert_same()
    held.sweep_until(199.0)
    assert len(held.model) == MANY


def test_one_step_of_a_reload_looks_at_a_bounded_number_of_entries() -> None:
    held = Held("lru", MANY, [(0.0, None, 0.0)])
    done = 0
    for _ in held.cache.shorten(5.0, 0.0):
        entries = [held.cache.entry(key) for key in held.model]
        ended = sum(entry is not None and entry.hard == 5.0 for entry in entries)
        assert ended - done <= SHORTEN_STEP
        done = ended
    assert done == MANY

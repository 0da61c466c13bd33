"""Every policy's cache held to a simple model after every step."""

from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cache_core.memory.cache import OVERHEAD, Cache
from cache_core.memory.entry import Entry
from cache_core.memory.eviction import POLICIES
from cache_core.stats import Cause
from cache_core.value import Answer

MAX_VALUE = 600

keys = st.sampled_from(["a", "b", "c", "d", "e", "bc", "é", "ключ", "", "k" * 300])
values = st.integers(0, MAX_VALUE + 20).map(bytes) | st.binary(max_size=8)
spans = st.floats(0, 8) | st.integers(0, 4).map(float)


def weight(key: str, data: bytes) -> int:
    return len(key.encode()) + len(data) + OVERHEAD


class CacheMachine(RuleBasedStateMachine):
    """A cache beside a dict of what it should hold, but for what it chose to evict."""

    policy: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, Entry] = {}
        self.counts: Counter[Cause] = Counter()
        self.weights: Counter[Cause] = Counter()
        self.hits = 0
        self.set_in = 0
        self.now = 0.0

    @initialize(capacity=st.integers(0, 6 * OVERHEAD) | st.just(10**6))
    def start(self, capacity: int) -> None:
        self.cache = Cache(capacity, POLICIES[self.policy], max_value=MAX_VALUE)

    @rule(by=spans)
    def time_passes(self, by: float) -> None:
        self.now += by

    @rule(key=keys)
    def get(self, key: str) -> None:
        entry = self.model.get(key)
        fresh = entry is not None and self.now < entry.soft
        self.hits += fresh
        assert self.cache.get(key, self.now) == (entry.data if entry and fresh else None)

    @rule(key=keys, data=values)
    def set_for_ever(self, key: str, data: bytes) -> None:
        self._set(key, Entry(data, self.now, float("inf"), float("inf")))

    @rule(key=keys, data=values, ttl=spans, grace=spans)
    def set(self, key: str, data: bytes, ttl: float, grace: float) -> None:
        self._set(key, Entry(data, self.now, self.now + ttl, self.now + ttl + grace))

    @rule(key=keys)
    def remove(self, key: str) -> None:
        assert self.cache.remove(key) == (key in self.model)
        if key in self.model:
            self._left(key, Cause.REMOVED)

    @rule()
    def flush(self) -> None:
        self.cache.flush()
        for key in list(self.model):
            self._left(key, Cause.FLUSHED)

    @rule(capacity=st.integers(0, 6 * OVERHEAD))
    def resize(self, capacity: int) -> None:
        self.cache.resize(capacity)
        for key in [key for key in self.model if self.cache.entry(key) is None]:
            self._left(key, Cause.EVICTED)

    @rule(key=keys, ahead=spans)
    def read(self, key: str, ahead: float) -> None:
        entry = self.model.get(key)
        fresh = entry is not None and self.now + ahead < entry.soft
        self.hits += fresh
        expected = entry.value(self.now, Answer.HIT) if entry and fresh else None
        assert self.cache.read(key, self.now, ahead) == expected

    @rule(limit=st.integers(0, 4))
    def sweep_a_little(self, limit: int) -> None:
        freed = self.cache.sweep(self.now, limit)
        assert freed <= limit
        assert freed >= self._drop_swept()
        if freed < limit:
            self._assert_nothing_is_overdue()

    @rule()
    def sweep_until_nothing_is_left_to_free(self) -> None:
        while self.cache.sweep(self.now, 100):
            self._drop_swept()
        self._assert_nothing_is_overdue()

    @invariant()
    def what_is_held_is_the_last_value_set(self) -> None:
        held = {key: self.cache.entry(key) for key in self.model}
        assert held == self.model
        assert len(self.cache) == len(self.model)

    @invariant()
    def what_is_charged_is_the_weight_of_what_is_held_within_the_budget(self) -> None:
        charged = sum(weight(key, entry.data) for key, entry in self.model.items())
        assert self.cache.bytes == charged <= self.cache.capacity

    @invariant()
    def the_figures_add_up(self) -> None:
        stats = self.cache.stats()
        assert stats.removals == {cause: self.counts[cause] for cause in Cause}
        assert stats.removed_bytes == {cause: self.weights[cause] for cause in Cause}
        assert (stats.entries, stats.bytes) == (len(self.model), self.cache.bytes)
        assert self.set_in == stats.bytes + sum(stats.removed_bytes.values())
        assert self.cache.hits == self.hits

    def _set(self, key: str, entry: Entry) -> None:
        charge = weight(key, entry.data)
        fits = len(entry.data) <= MAX_VALUE and charge <= self.cache.capacity
        assert self.cache.set(key, *entry) == fits
        self.set_in += charge
        if key in self.model:
            self._left(key, Cause.REPLACED)
        if not fits:
            self.counts[Cause.REJECTED] += 1
            self.weights[Cause.REJECTED] += charge
            return
        evicted = [other for other in self.model if self.cache.entry(other) is None]
        held = sum(weight(other, kept.data) for other, kept in self.model.items())
        assert not evicted or held + charge > self.cache.capacity
        for other in evicted:
            self._left(other, Cause.EVICTED)
        self.model[key] = entry

    def _drop_swept(self) -> int:
        swept = [key for key in self.model if self.cache.entry(key) is None]
        for key in swept:
            assert self.model[key].hard <= self.now
            self._left(key, Cause.EXPIRED)
        return len(swept)

    def _assert_nothing_is_overdue(self) -> None:
        assert all(entry.hard > self.now - 1 for entry in self.model.values())

    def _left(self, key: str, cause: Cause) -> None:
        self.counts[cause] += 1
        self.weights[cause] += weight(key, self.model.pop(key).data)


@pytest.mark.parametrize("name", POLICIES)
def test_a_cache_does_at_every_step_what_a_simple_model_does(name: str) -> None:
    class Machine(CacheMachine):
        policy = name

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=30, stateful_step_count=30, deadline=None)
    )

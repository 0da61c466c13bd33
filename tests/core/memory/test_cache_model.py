"""Every policy's cache held to a simple model after every step."""

from collections import Counter
from itertools import chain
from math import inf
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

from cache_core.memory.cache import LABEL_OVERHEAD, OVERHEAD, Cache
from cache_core.memory.entry import Entry
from cache_core.memory.eviction import POLICIES
from cache_core.stats import Cause
from cache_core.value import NO_LABEL, NO_TERMS, Answer, Label, Terms, Value

MAX_VALUE = 600

keys = st.sampled_from(["a", "b", "c", "d", "e", "bc", "é", "ключ", "k" * 300])
values = st.integers(0, MAX_VALUE + 20).map(bytes) | st.binary(max_size=8)
labels = st.sampled_from(
    [NO_LABEL, Label("image/png"), Label(version="é1"), Label("text/plain", "v" * 60)]
)
spans = st.floats(0, 8) | st.integers(0, 4).map(float)
every_terms = st.sampled_from([NO_TERMS, Terms(1.0, 2.0), Terms(content_type="text/css")])
capacities = st.integers(0, 8 * OVERHEAD)


def weight(key: str, entry: Entry) -> int:
    of_label = LABEL_OVERHEAD + sum(len(text.encode()) for text in entry.label)
    label = of_label if entry.label != NO_LABEL else 0
    return len(key.encode()) + len(entry.data) + label + OVERHEAD


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

    @initialize(capacity=capacities | st.just(10**6), terms=every_terms)
    def start(self, capacity: int, terms: Terms) -> None:
        self.max_value, self.terms = MAX_VALUE, terms
        self.cache = Cache(capacity, POLICIES[self.policy], max_value=MAX_VALUE, terms=terms)

    @rule(by=spans)
    def time_passes(self, by: float) -> None:
        self.now += by

    @rule(key=keys)
    def get(self, key: str) -> None:
        entry = self.model.get(key)
        fresh = entry is not None and self.now < entry.soft
        self.hits += fresh
        assert self.cache.get(key, self.now) == (entry.data if entry and fresh else None)

    @rule(key=keys, data=values, label=labels)
    def set_for_ever(self, key: str, data: bytes, label: Label) -> None:
        self._set(key, Entry(data, self.now, inf, inf, label))

    @rule(key=keys, data=values, ttl=spans, grace=spans, label=labels)
    def set(self, key: str, data: bytes, ttl: float, grace: float, label: Label) -> None:
        soft = self.now + ttl
        self._set(key, Entry(data, self.now, soft, soft + grace, label))

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

    @rule(ttl=spans, grace=spans)
    def shorten(self, ttl: float, grace: float) -> None:
        for _ in self.cache.shorten(ttl, grace):
            pass
        for key, entry in self.model.items():
            soft = entry.loaded + ttl
            if soft < entry.soft:
                hard = min(entry.hard, soft + grace)
                self.model[key] = entry._replace(soft=soft, hard=hard)

    @rule(name=st.sampled_from(list(POLICIES)), max_value=st.integers(0, 2 * MAX_VALUE))
    def follow(self, name: str, max_value: int) -> None:
        self.max_value = max_value
        self.cache.follow(POLICIES[name], max_value=max_value, terms=self.terms)

    @rule(terms=every_terms)
    def follow_other_terms(self, terms: Terms) -> None:
        self.terms = terms
        self.cache.follow(POLICIES[self.policy], max_value=self.max_value, terms=terms)

    @rule(capacity=capacities)
    def resize(self, capacity: int) -> None:
        self.cache.resize(capacity)
        for key in [key for key in self.model if self.cache.entry(key) is None]:
            self._left(key, Cause.EVICTED)

    @rule(key=keys, ahead=spans)
    def read(self, key: str, ahead: float) -> None:
        entry = self.model.get(key)
        fresh = entry is not None and self.now + ahead < entry.soft
        self.hits += fresh
        expected = self._value(entry) if entry and fresh else None
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
        charged = sum(weight(key, entry) for key, entry in self.model.items())
        assert self.cache.bytes == charged <= self.cache.capacity

    @invariant()
    def the_figures_add_up(self) -> None:
        stats = self.cache.stats()
        assert stats.removals == {cause: self.counts[cause] for cause in Cause}
        assert stats.removed_bytes == {cause: self.weights[cause] for cause in Cause}
        assert (stats.entries, stats.bytes) == (len(self.model), self.cache.bytes)
        assert self.set_in == stats.bytes + sum(stats.removed_bytes.values())
        assert self.cache.hits == self.hits

    def teardown(self) -> None:
        for key in list(self.model):
            self.remove(key)
        while self.cache.sweep(inf, 10_000):
            pass
        self.the_figures_add_up()
        assert (len(self.cache), self.cache.bytes) == (0, 0)
        assert list(chain.from_iterable(self.cache.keys_by_hits())) == []

    def _set(self, key: str, entry: Entry) -> None:
        charge = weight(key, entry)
        fits = len(entry.data) <= self.max_value and charge <= self.cache.capacity
        assert self.cache.set(key, *entry) == fits
        self.set_in += charge
        if key in self.model:
            self._left(key, Cause.REPLACED)
        if not fits:
            self.counts[Cause.REJECTED] += 1
            self.weights[Cause.REJECTED] += charge
            return
        evicted = [other for other in self.model if self.cache.entry(other) is None]
        held = sum(weight(other, kept) for other, kept in self.model.items())
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
        self.weights[cause] += weight(key, self.model.pop(key))

    def _value(self, entry: Entry) -> Value:
        content_type, version = entry.label
        terms = self.terms._replace(content_type=self.terms.content_type or content_type)
        ttl = None if entry.soft == inf else entry.soft - self.now
        age = self.now - entry.loaded
        return Value(entry.data, ttl, age, Answer.HIT, None, terms, version=version)


@pytest.mark.parametrize("name", POLICIES)
def test_a_cache_does_at_every_step_what_a_simple_model_does(name: str) -> None:
    class Machine(CacheMachine):
        policy = name

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=30, stateful_step_count=30, deadline=None)
    )

"""One contract suite for every policy; of LRU and LFU, the exact order too."""

from collections import OrderedDict
from typing import ClassVar, Protocol

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from shelf import CAPACITY, Shelf

from cache_core.memory.eviction import POLICIES
from cache_core.memory.eviction.lfu import LFU
from cache_core.memory.eviction.lru import LRU
from cache_core.memory.slots import RESERVED

weights = st.integers(1, CAPACITY // 5)
numbers = st.integers(0, 999)


class Order(Protocol):
    """A model of an order: `use` is a key's arrival, rewriting or read."""

    def use(self, key: str) -> None: ...

    def drop(self, key: str) -> None: ...

    def may_leave(self) -> set[str]: ...


class AnyOrder:
    """Who is held may leave."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    def use(self, key: str) -> None:
        self.held.add(key)

    def drop(self, key: str) -> None:
        self.held.remove(key)

    def may_leave(self) -> set[str]:
        return self.held


class RecencyOrder:
    """Who was used longest ago leaves."""

    def __init__(self) -> None:
        self.held: OrderedDict[str, None] = OrderedDict()

    def use(self, key: str) -> None:
        self.held[key] = None
        self.held.move_to_end(key)

    def drop(self, key: str) -> None:
        del self.held[key]

    def may_leave(self) -> set[str]:
        return {next(iter(self.held))}


class FrequencyOrder:
    """Who was used least leaves, of several the one that has been at that count longest."""

    def __init__(self) -> None:
        self.moves = 0
        self.held: dict[str, tuple[int, int]] = {}

    def use(self, key: str) -> None:
        uses, _ = self.held.get(key, (0, 0))
        self.moves += 1
        self.held[key] = (uses + 1, self.moves)

    def drop(self, key: str) -> None:
        del self.held[key]

    def may_leave(self) -> set[str]:
        return {min(self.held, key=self.held.__getitem__)}


ORDERS: dict[str, type[Order]] = {"lru": RecencyOrder, "lfu": FrequencyOrder}


class PolicyMachine(RuleBasedStateMachine):
    """A policy beside a model of its order, keys made up as they are needed."""

    policy: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.shelf = Shelf(self.policy)
        self.order: Order = ORDERS.get(self.policy, AnyOrder)()
        self.held: dict[str, int] = {}
        self.left: list[str] = []

    @initialize(count=st.integers(0, 20))
    def fill(self, count: int) -> None:
        for number in range(count):
            self.put(number, 100)

    @rule(number=numbers, weight=weights)
    def put(self, number: int, weight: int) -> None:
        key = str(number)
        if key in self.held:
            self.shelf.replace(self.held[key], weight)
        else:
            slot = self.shelf.put(key, weight)
            assert slot >= RESERVED
            assert slot not in self.held.values()
            self.held[key] = slot
        self.order.use(key)

    @rule()
    @precondition(lambda self: self.left)
    def put_again_what_left(self) -> None:
        self.put(int(self.left.pop()), 100)

    @rule(pick=numbers, weight=weights)
    @precondition(lambda self: self.held)
    def replace(self, pick: int, weight: int) -> None:
        self.put(int(self._picked(pick)), weight)

    @rule(pick=numbers, times=st.integers(1, 4))
    @precondition(lambda self: self.held)
    def read(self, pick: int, times: int) -> None:
        key = self._picked(pick)
        for _ in range(times):
            self.shelf.read(self.held[key])
            self.order.use(key)

    @rule(pick=numbers)
    @precondition(lambda self: self.held)
    def forget(self, pick: int) -> None:
        key = self._picked(pick)
        self.shelf.forget(self.held.pop(key))
        self.order.drop(key)

    @rule(incoming=weights)
    def evict(self, incoming: int) -> None:
        if not self.held:
            with pytest.raises(LookupError):
                self.shelf.evict(incoming)
            return
        key = self.shelf.evict(incoming)
        assert key in self.order.may_leave()
        del self.held[key]
        self.order.drop(key)
        self.left.append(key)

    def teardown(self) -> None:
        while self.held:
            self.evict(100)
        self.evict(100)

    def _picked(self, pick: int) -> str:
        return list(self.held)[pick % len(self.held)]


@pytest.mark.parametrize("name", POLICIES)
def test_in_any_interleaving_each_slot_leaves_once_and_in_the_policys_order(name: str) -> None:
    class Machine(PolicyMachine):
        policy = name

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=30, stateful_step_count=40, deadline=None)
    )


@pytest.mark.parametrize("policy", POLICIES)
def test_an_empty_policy_has_nothing_to_evict(policy: str) -> None:
    shelf = Shelf(policy)
    with pytest.raises(LookupError):
        shelf.evict()
    shelf.forget(shelf.put("a"))
    with pytest.raises(LookupError):
        shelf.evict()


@pytest.mark.parametrize("policy", POLICIES)
def test_each_of_more_slots_than_the_columns_grow_by_leaves_once(policy: str) -> None:
    shelf = Shelf(policy)
    keys = [f"{number}" for number in range(5000)]
    for key in keys:
        shelf.put(key)
    assert sorted(shelf.evict() for _ in keys) == sorted(keys)
    with pytest.raises(LookupError):
        shelf.evict()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_slot_used_again_owes_nothing_to_who_had_it_before(policy: str) -> None:
    shelf = Shelf(policy)
    first = shelf.put("read often")
    for _ in range(10):
        shelf.read(first)
    shelf.forget(first)
    assert shelf.put("new") == first
    shelf.read(shelf.put("read once"))
    assert shelf.evict(CAPACITY) == "new"


def test_lru_gives_up_what_was_read_or_written_longest_ago() -> None:
    shelf = Shelf("lru")
    a, b, *_ = [shelf.put(key) for key in "abcd"]
    shelf.read(a)
    shelf.replace(b)
    assert isinstance(shelf.policy, LRU)
    assert [shelf.evict() for _ in range(4)] == ["c", "d", "a", "b"]


def test_lfu_gives_up_what_was_used_least_and_of_those_what_came_first() -> None:
    shelf = Shelf("lfu")
    a, b, c, _ = [shelf.put(key) for key in "abcd"]
    for slot in (c, a, a, b):
        shelf.read(slot)
    assert isinstance(shelf.policy, LFU)
    assert [shelf.evict() for _ in range(4)] == ["d", "c", "b", "a"]


def test_lfu_gives_up_a_new_slot_before_those_that_were_the_least_used_until_then() -> None:
    shelf = Shelf("lfu")
    for key in ("first", "second", "third"):
        shelf.read(shelf.put(key))
    assert shelf.evict() == "first"
    shelf.put("new")
    assert [shelf.evict() for _ in range(3)] == ["new", "second", "third"]


def test_lfu_counts_past_what_the_caches_own_counter_holds() -> None:
    shelf = Shelf("lfu")
    often, oftener = shelf.put("often"), shelf.put("oftener")
    for slot in [oftener] * 50 + [often] * 49:
        shelf.read(slot)
    assert [shelf.evict() for _ in range(2)] == ["often", "oftener"]


def test_lfu_keeps_a_keys_count_over_a_new_value() -> None:
    shelf = Shelf("lfu")
    rewritten = shelf.put("rewritten")
    for _ in range(5):
        shelf.read(rewritten)
    shelf.replace(rewritten)
    shelf.read(shelf.put("once"))
    assert [shelf.evict() for _ in range(2)] == ["once", "rewritten"]

"""S3-FIFO held to the same algorithm over plain lists, whose bytes are counted anew each time."""

from itertools import chain

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from shelf import CAPACITY, Shelf

from cache_core.memory.cache import MAX_HITS
from cache_core.memory.eviction.s3fifo import FINGERPRINT, MIN_GHOST, SMALL_SHARE

weights = st.integers(1, CAPACITY // 5)
numbers = st.integers(0, 999)


class Queues:
    """Keys in two lists, the next to leave first, and the ghost's cells in a third."""

    def __init__(self) -> None:
        self.small: list[str] = []
        self.main: list[str] = []
        self.ghost = [0] * MIN_GHOST
        self.weights: dict[str, int] = {}
        self.hits: dict[str, int] = {}
        self.is_warm = False

    def put(self, key: str, weight: int) -> None:
        was_main = key in self.main
        is_new = key not in self.weights
        if not is_new:
            self._leave(key)
        self.hits[key] = 0 if is_new else min(self.hits[key] + 1, MAX_HITS)
        self.weights[key] = weight
        fingerprint, cell = self._cell(key)
        if self.ghost[cell] == fingerprint:
            self.ghost[cell] = 0
            self.main.append(key)
        elif was_main or (not self.is_warm and self._small_bytes() + weight > self._small_limit()):
            self.main.append(key)
        else:
            self.small.append(key)

    def read(self, key: str) -> None:
        self.hits[key] = min(self.hits[key] + 1, MAX_HITS)

    def forget(self, key: str) -> None:
        self._leave(key)
        del self.weights[key], self.hits[key]

    def evict(self, incoming: int) -> str:
        self.is_warm = True
        while True:
            is_over = self._small_bytes() + incoming > self._small_limit()
            if self.small and (is_over or not self.main):
                key = self.small[0]
                if not self.hits[key]:
                    self._remember(key)
                    self.forget(key)
                    return key
                self.small.remove(key)
                self.hits[key] = 0
            else:
                key = self.main[0]
                if not self.hits[key]:
                    self.forget(key)
                    return key
                self.main.remove(key)
                self.hits[key] -= 1
            self.main.append(key)

    def _remember(self, key: str) -> None:
        if len(self.main) > len(self.ghost):
            while len(self.ghost) < len(self.main):
                self.ghost *= 2
        fingerprint, cell = self._cell(key)
        self.ghost[cell] = fingerprint

    def _leave(self, key: str) -> None:
        (self.small if key in self.small else self.main).remove(key)

    def _cell(self, key: str) -> tuple[int, int]:
        fingerprint = hash(key) & FINGERPRINT
        return fingerprint, fingerprint % len(self.ghost)

    def _small_bytes(self) -> int:
        return sum(self.weights[key] for key in self.small)

    def _small_limit(self) -> int:
        return CAPACITY // SMALL_SHARE


class S3FIFOMachine(RuleBasedStateMachine):
    """The policy beside the lists."""

    def __init__(self) -> None:
        super().__init__()
        self.shelf = Shelf("s3fifo")
        self.queues = Queues()
        self.held: dict[str, int] = {}
        self.left: list[str] = []

    @initialize(count=st.integers(0, 60))
    def fill(self, count: int) -> None:
        for number in range(count):
            self.put(number, 100)

    @rule(number=numbers, weight=weights | st.just(100))
    def put(self, number: int, weight: int) -> None:
        key = str(number)
        if key in self.held:
            self.shelf.replace(self.held[key], weight)
        else:
            self.held[key] = self.shelf.put(key, weight)
        self.queues.put(key, weight)

    @rule(count=st.integers(1, 8))
    @precondition(lambda self: self.left)
    def put_again_what_left(self, count: int) -> None:
        for _ in range(min(count, len(self.left))):
            self.put(int(self.left.pop()), 100)

    @rule(pick=numbers, weight=weights)
    @precondition(lambda self: self.held)
    def replace(self, pick: int, weight: int) -> None:
        self.put(int(self._picked(pick)), weight)

    @rule(pick=numbers, count=st.integers(1, 8), times=st.integers(1, 4))
    @precondition(lambda self: self.held)
    def read(self, pick: int, count: int, times: int) -> None:
        for key in [self._picked(pick + number) for number in range(count)] * times:
            self.shelf.read(self.held[key])
            self.queues.read(key)

    @rule(pick=numbers, count=st.integers(1, 4))
    @precondition(lambda self: self.held)
    def forget(self, pick: int, count: int) -> None:
        for _ in range(min(count, len(self.held))):
            key = self._picked(pick)
            self.shelf.forget(self.held.pop(key))
            self.queues.forget(key)

    @rule(incoming=weights, count=st.integers(1, 8))
    def evict(self, incoming: int, count: int) -> None:
        for _ in range(min(count, len(self.held))):
            key = self.shelf.evict(incoming)
            assert key == self.queues.evict(incoming)
            del self.held[key]
            self.left.append(key)

    @invariant()
    def the_reads_that_still_spare_an_entry_are_the_same(self) -> None:
        hits = {key: self.shelf.slots.hits[slot] for key, slot in self.held.items()}
        assert hits == self.queues.hits

    def teardown(self) -> None:
        assert sorted(chain(self.queues.small, self.queues.main)) == sorted(self.held)
        while self.held:
            self.evict(100, 1)

    def _picked(self, pick: int) -> str:
        return list(self.held)[pick % len(self.held)]


def test_keys_leave_in_the_order_of_the_paper_by_bytes_that_are_counted_anew() -> None:
    run_state_machine_as_test(
        S3FIFOMachine, settings=settings(max_examples=50, stateful_step_count=30, deadline=None)
    )

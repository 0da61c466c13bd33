from math import floor, inf

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cache_core.memory.expiry import BUCKETS_STEP, ExpiryBuckets
from cache_core.memory.slots import Slots


class Calendar:
    """Slots with an expiry, given and taken as the cache does it."""

    def __init__(self) -> None:
        self.slots = Slots()
        self.buckets = ExpiryBuckets(self.slots)

    def add(self, hard: float, *, life: float = 0.0) -> int:
        free = self.slots.free
        slot = free.pop() if free else self.slots.grow()
        self.slots.loaded[slot] = hard - life
        self.slots.soft[slot] = self.slots.hard[slot] = hard
        self.buckets.add(slot)
        return slot

    def remove(self, slot: int) -> None:
        self.buckets.remove(slot)
        self.slots.release(slot)

    def sweep(self, now: float, limit: int = 10_000) -> list[int]:
        swept: list[int] = []
        for slot in self.buckets.expired(now):
            if len(swept) == limit:
                break
            swept.append(slot)
            self.remove(slot)
        return swept


class CalendarMachine(RuleBasedStateMachine):
    """Expiry buckets beside a dict of the expiries."""

    def __init__(self) -> None:
        super().__init__()
        self.calendar = Calendar()
        self.model: dict[int, float] = {}
        self.now = 0.0

    @rule(by=st.floats(0, 5) | st.integers(0, 3).map(float))
    def time_passes(self, by: float) -> None:
        self.now += by

    @rule(after=st.floats(0, 9) | st.integers(0, 4).map(float) | st.floats(0, 1e9))
    def add(self, after: float) -> None:
        slot = self.calendar.add(self.now + after)
        assert slot not in self.model
        self.model[slot] = self.now + after

    @rule(count=st.integers(2, 6), after=st.integers(0, 3))
    def add_several_to_one_second(self, count: int, after: int) -> None:
        for part in range(count):
            self.add(floor(self.now) + 1 - self.now + after + part / 10)

    @rule(pick=st.integers(0, 999))
    @precondition(lambda self: self.model)
    def remove(self, pick: int) -> None:
        slot = list(self.model)[pick % len(self.model)]
        del self.model[slot]
        self.calendar.remove(slot)

    @rule(limit=st.integers(0, 5))
    def sweep_a_little(self, limit: int) -> None:
        swept = self.calendar.sweep(self.now, limit)
        self._drop(swept)
        if len(swept) < limit:
            self._assert_nothing_is_overdue()

    @rule()
    def sweep(self) -> None:
        self._drop(self.calendar.sweep(self.now))
        self._assert_nothing_is_overdue()

    @invariant()
    def only_what_was_added_has_an_expiry(self) -> None:
        hard = self.calendar.slots.hard
        assert {slot: at for slot, at in enumerate(hard) if at != inf} == self.model

    def _drop(self, swept: list[int]) -> None:
        for slot in swept:
            assert self.model.pop(slot) <= self.now

    def _assert_nothing_is_overdue(self) -> None:
        assert all(at > self.now - 1 for at in self.model.values())


def test_buckets_yield_what_a_dict_of_expiries_would_within_a_second() -> None:
    run_state_machine_as_test(
        CalendarMachine,
        settings=settings(max_examples=30, stateful_step_count=40, deadline=None),
    )


@pytest.mark.parametrize("now", [9.9, 10.0, 10.5, 10.99])
def test_a_slot_is_not_yielded_before_its_second_is_over(now: float) -> None:
    calendar = Calendar()
    calendar.add(10.5)
    assert calendar.sweep(now) == []


def test_a_slot_is_yielded_once_its_second_is_over() -> None:
    calendar = Calendar()
    slot = calendar.add(10.5)
    assert calendar.sweep(11.0) == [slot]
    assert calendar.sweep(1e9) == []


def test_a_slot_added_to_a_second_that_was_swept_before_is_yielded_too() -> None:
    calendar = Calendar()
    calendar.add(10.5)
    calendar.sweep(20.0)
    late = calendar.add(10.5)
    assert calendar.sweep(20.0) == [late]


def test_slots_of_lives_of_a_month_are_found_in_one_look_though_each_has_its_own_second() -> None:
    calendar = Calendar()
    month = 30 * 86_400.0
    slots = [calendar.add(month + part, life=month) for part in range(5 * BUCKETS_STEP)]
    for slot in slots[:-1]:
        calendar.remove(slot)
    assert calendar.sweep(2 * month) == slots[-1:]


def test_a_slot_added_with_an_expiry_long_past_is_yielded_first() -> None:
    calendar = Calendar()
    later, past = calendar.add(100.0), calendar.add(3.0)
    assert calendar.sweep(1000.0) == [past, later]


def test_a_removed_slot_has_no_expiry_and_is_not_yielded() -> None:
    calendar = Calendar()
    first, middle, last = (calendar.add(10.0 + part) for part in (0.1, 0.2, 0.3))
    calendar.remove(middle)
    assert (calendar.slots.soft[middle], calendar.slots.hard[middle]) == (inf, inf)
    assert sorted(calendar.sweep(11.0)) == sorted([first, last])


def test_a_sweep_that_stops_early_goes_on_where_it_stopped() -> None:
    calendar = Calendar()
    slots = [calendar.add(10.0 + number / 4) for number in range(20)]
    swept = [slot for _ in range(7) for slot in calendar.sweep(100.0, limit=3)]
    assert sorted(swept) == sorted(slots)


def test_one_sweep_looks_into_a_bounded_number_of_seconds_whose_slots_have_all_left() -> None:
    calendar = Calendar()
    seconds = 5 * BUCKETS_STEP
    left_early = [calendar.add(float(second)) for second in range(seconds)]
    last = calendar.add(float(seconds))
    for slot in left_early:
        calendar.remove(slot)
    sweeps = [calendar.sweep(1e9) for _ in range(6)]
    assert sweeps == [[], [], [], [], [], [last]]


@pytest.mark.parametrize("life", [1.0, 60.0, 3_600.0, 86_400.0, 30 * 86_400.0])
def test_who_expired_is_found_within_a_64th_of_his_life_and_never_before(life: float) -> None:
    calendar = Calendar()
    slots = {calendar.add(life + part, life=life): life + part for part in range(50)}
    now, late = life - 1, life / 64 + 2
    while slots:
        assert all(slots.pop(slot) <= now for slot in calendar.sweep(now))
        assert all(now < hard + late for hard in slots.values())
        now += max(1, life / 1000)

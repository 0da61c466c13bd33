import pytest
from fakes import FakeClock

from cache_core.valkey.breaker import Breaker


@pytest.fixture
def breaker(clock: FakeClock) -> Breaker:
    return Breaker(clock, failures=3, first=1.0, longest=4.0)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        assert breaker.lets_through()
        breaker.failed()


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    fail(breaker, 2)
    fail(breaker)
    assert [breaker.lets_through() for _ in range(2)] == [False, False]
    assert (breaker.openings, breaker.refusals) == (1, 2)


def test_a_success_in_between_starts_the_row_anew(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.lets_through()


def test_after_the_pause_one_call_at_a_time_may_try(breaker: Breaker, clock: FakeClock) -> None:
    fail(breaker, 3)
    clock.tick(0.9)
    assert not breaker.lets_through()
    clock.tick(0.1)
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert [breaker.lets_through() for _ in range(3)] == [True, True, True]
    assert breaker.openings == 1


def test_the_pause_doubles_with_each_try_that_fails_up_to_the_longest(
    breaker: Breaker, clock: FakeClock
) -> None:
    fail(breaker, 3)
    for pause in (1.0, 2.0, 4.0, 4.0):
        clock.tick(pause - 0.01)
        assert not breaker.lets_through()
        clock.tick(0.01)
        fail(breaker)
    clock.tick(4.0)
    assert breaker.lets_through()
    breaker.succeeded()
    fail(breaker, 3)
    clock.tick(1.0)
    assert breaker.lets_through()


def test_a_try_that_gives_up_leaves_the_next_one_to_another(
    breaker: Breaker, clock: FakeClock
) -> None:
    fail(breaker, 3)
    clock.tick(1.0)
    assert breaker.lets_through()
    breaker.gave_up()
    assert [breaker.lets_through() for _ in range(2)] == [True, False]


def test_calls_from_before_it_opened_that_fail_late_do_not_lengthen_the_pause(
    breaker: Breaker, clock: FakeClock
) -> None:
    fail(breaker, 3)
    clock.tick(0.5)
    breaker.failed()
    clock.tick(0.5)
    assert breaker.lets_through()

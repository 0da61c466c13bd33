import asyncio
import gc

import pytest
from fakes import settled

from cache_core.loading.singleflight import Flights


def ignore(_outcome: int) -> None:
    """Settle nothing."""


class Load:
    """A load that waits until it is let go, and counts how often it was started."""

    def __init__(self, outcome: int | Exception = 7) -> None:
        self.started = 0
        self.running = asyncio.Event()
        self.go = asyncio.Event()
        self.cancelled = False
        self._outcome = outcome

    async def __call__(self) -> int:
        self.started += 1
        self.running.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


async def test_all_who_ask_meanwhile_share_one_flight() -> None:
    flights, load = Flights[int](), Load()
    waiters = [asyncio.create_task(flights.join("k", load, ignore)) for _ in range(100)]
    await load.running.wait()
    load.go.set()
    assert await asyncio.gather(*waiters) == [7] * 100
    assert load.started == 1
    assert len(flights) == 0


async def test_different_keys_fly_apart() -> None:
    flights, load = Flights[int](), Load()
    load.go.set()
    await asyncio.gather(flights.join("a", load, ignore), flights.join("b", load, ignore))
    assert load.started == 2


async def test_an_error_reaches_every_waiter_and_the_next_call_loads_again() -> None:
    flights, load = Flights[int](), Load(ValueError("no"))
    waiters = [asyncio.create_task(flights.join("k", load, ignore)) for _ in range(3)]
    await load.running.wait()
    load.go.set()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["no"] * 3
    with pytest.raises(ValueError, match="no"):
        await flights.join("k", load, ignore)
    assert load.started == 2


@pytest.mark.parametrize("leaver", [0, 1, 2])
async def test_a_cancelled_caller_harms_no_other(leaver: int) -> None:
    flights, load = Flights[int](), Load()
    waiters = [asyncio.create_task(flights.join("k", load, ignore)) for _ in range(3)]
    await load.running.wait()
    waiters[leaver].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiters[leaver]
    load.go.set()
    others = [waiter for waiter in waiters if waiter is not waiters[leaver]]
    assert await asyncio.gather(*others) == [7, 7]
    assert not load.cancelled


async def test_the_last_waiter_to_leave_cancels_the_flight() -> None:
    flights, load = Flights[int](), Load()
    waiters = [asyncio.create_task(flights.join("k", load, ignore)) for _ in range(2)]
    await load.running.wait()
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    await asyncio.sleep(0)
    assert load.cancelled
    assert len(flights) == 0


async def test_an_error_after_the_last_waiter_has_left_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = asyncio.Event()

    async def fail_when_cancelled() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
            raise ValueError("hunter2")

    flights = Flights[int]()
    waiter = asyncio.create_task(flights.join("k", fail_when_cancelled, ignore))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    await ended.wait()
    await settled()
    gc.collect()
    assert caplog.messages == []


async def test_who_comes_after_a_cancelled_flight_gets_one_of_his_own() -> None:
    flights, first, second = Flights[int](), Load(1), Load(2)
    leaver = asyncio.create_task(flights.join("k", first, ignore))
    await first.running.wait()
    leaver.cancel()
    comer = asyncio.create_task(flights.join("k", second, ignore))
    await second.running.wait()
    joiner = asyncio.create_task(flights.join("k", first, ignore))
    second.go.set()
    assert await comer == await joiner == 2
    assert first.started == 1


@pytest.mark.parametrize("fence", ["one", "all"])
async def test_a_fenced_flight_answers_its_waiters_and_settles_nothing(fence: str) -> None:
    flights, first, second = Flights[int](), Load(1), Load(2)
    settled: list[int] = []
    early = asyncio.create_task(flights.join("k", first, settled.append))
    await first.running.wait()
    if fence == "one":
        flights.fence("k")
    else:
        flights.fence_all()
    late = asyncio.create_task(flights.join("k", second, settled.append))
    await second.running.wait()
    first.go.set()
    assert await early == 1
    assert settled == []
    second.go.set()
    assert await late == 2
    assert settled == [2]


async def test_a_flight_started_behind_goes_on_when_its_waiters_leave() -> None:
    flights, load = Flights[int](), Load()
    settled: list[int] = []
    flights.start_behind("k", load, settled.append)
    flights.start_behind("k", load, settled.append)
    waiter = asyncio.create_task(flights.join("k", load, settled.append))
    await load.running.wait()
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    load.go.set()
    assert await flights.join("k", load, settled.append) == 7
    assert settled == [7]
    assert load.started == 1


async def test_a_flight_cancelled_before_it_took_off_strands_nobody() -> None:
    flights, load = Flights[int](), Load()
    load.go.set()
    flights.start_behind("k", load, ignore)
    await flights.aclose()
    assert await flights.join("k", load, ignore) == 7


async def test_a_kept_flight_goes_on_when_its_last_waiter_leaves() -> None:
    flights, load = Flights[int](), Load()
    waiter = asyncio.create_task(flights.join("k", load, ignore, keep=True))
    await load.running.wait()
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    load.go.set()
    assert await flights.join("k", load, ignore) == 7
    assert load.started == 1

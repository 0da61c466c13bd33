import asyncio
import gc

import pytest

from cache_core.singleflight import Flights


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
    waiters = [asyncio.create_task(flights.join("k", load)) for _ in range(100)]
    await load.running.wait()
    load.go.set()
    assert await asyncio.gather(*waiters) == [7] * 100
    assert load.started == 1
    assert len(flights) == 0


async def test_different_keys_fly_apart() -> None:
    flights, load = Flights[int](), Load()
    load.go.set()
    await asyncio.gather(flights.join("a", load), flights.join("b", load))
    assert load.started == 2


async def test_an_error_reaches_every_waiter_and_the_next_call_loads_again() -> None:
    flights, load = Flights[int](), Load(ValueError("no"))
    waiters = [asyncio.create_task(flights.join("k", load)) for _ in range(3)]
    await load.running.wait()
    load.go.set()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["no"] * 3
    with pytest.raises(ValueError, match="no"):
        await flights.join("k", load)
    assert load.started == 2


@pytest.mark.parametrize("leaver", [0, 1, 2])
async def test_a_cancelled_caller_harms_no_other(leaver: int) -> None:
    flights, load = Flights[int](), Load()
    waiters = [asyncio.create_task(flights.join("k", load)) for _ in range(3)]
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
    waiters = [asyncio.create_task(flights.join("k", load)) for _ in range(2)]
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
    waiter = asyncio.create_task(flights.join("k", fail_when_cancelled))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    await ended.wait()
    gc.collect()
    assert caplog.messages == []


async def test_who_comes_after_a_cancelled_flight_gets_one_of_his_own() -> None:
    flights, first, second = Flights[int](), Load(1), Load(2)
    leaver = asyncio.create_task(flights.join("k", first))
    await first.running.wait()
    leaver.cancel()
    comer = asyncio.create_task(flights.join("k", second))
    await second.running.wait()
    joiner = asyncio.create_task(flights.join("k", first))
    second.go.set()
    assert await comer == await joiner == 2
    assert first.started == 1

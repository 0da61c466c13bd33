"""How flights end, whom that reaches, and what is left of them: nothing."""

import asyncio
import gc
import weakref
from contextvars import ContextVar

import pytest
from fakes import settled

from cache_core.loading.singleflight import FlightEnded, Flights

caller: ContextVar[str] = ContextVar("caller", default="nobody")


class Outcome:
    """Something that a weak reference can point at."""


def ignore(_outcome: object) -> None:
    """Settle nothing."""


async def hanging() -> int:
    await asyncio.Event().wait()
    return 0


async def test_a_flight_that_is_ended_tells_its_waiters_so() -> None:
    flights = Flights[int]()
    waiters = [asyncio.create_task(flights.join("k", hanging, ignore)) for _ in range(2)]
    await settled()
    await flights.aclose()
    for waiter in waiters:
        with pytest.raises(FlightEnded):
            await waiter


async def test_a_waiter_that_is_cancelled_as_its_flight_is_ended_is_cancelled() -> None:
    flights = Flights[int]()
    waiter = asyncio.create_task(flights.join("k", hanging, ignore))
    await settled()
    closing = asyncio.create_task(flights.aclose())
    while not closing.done():
        await asyncio.sleep(0)
        waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter


async def test_closing_waits_until_all_flights_have_tidied_up_fenced_ones_too() -> None:
    tidied: list[str] = []

    async def tidy(key: str) -> int:
        try:
            return await hanging()
        finally:
            await settled()
            tidied.append(key)

    flights = Flights[int]()
    waiters = []
    for key in ("fenced", "other"):
        waiters.append(asyncio.create_task(flights.join(key, lambda key=key: tidy(key), ignore)))  # type: ignore[misc]
        await settled()
    flights.fence("fenced")
    await flights.aclose()
    assert sorted(tidied) == ["fenced", "other"]
    await asyncio.gather(*waiters, return_exceptions=True)


async def test_a_flight_is_kept_only_by_who_starts_it() -> None:
    flights = Flights[int]()
    starter = asyncio.create_task(flights.join("k", hanging, ignore))
    await settled()
    joiner = asyncio.create_task(flights.join("k", hanging, ignore, keep=True))
    await settled()
    for waiter in (starter, joiner):
        waiter.cancel()
    await asyncio.gather(starter, joiner, return_exceptions=True)
    assert "k" not in flights


async def test_a_flight_started_behind_is_no_part_of_what_its_caller_does() -> None:
    seen: list[str] = []

    async def look() -> int:
        seen.append(caller.get())
        return 0

    flights = Flights[int]()
    caller.set("a get")
    await flights.join("waited for", look, ignore)
    flights.start_behind("behind", look, ignore)
    await settled()
    assert seen == ["a get", "nobody"]


async def test_an_error_of_a_flight_behind_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> int:
        raise ValueError("hunter2")

    flights = Flights[int]()
    flights.start_behind("k", fail, ignore)
    await settled()
    gc.collect()
    assert caplog.messages == []
    assert len(flights) == 0


async def test_who_comes_once_a_flight_has_failed_starts_another() -> None:
    flights = Flights[int]()
    late: list[asyncio.Task[int]] = []

    async def succeed() -> int:
        return 7

    async def fail() -> int:
        late.append(asyncio.create_task(flights.join("k", succeed, ignore)))
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await flights.join("k", fail, ignore)
    assert await late[0] == 7


@pytest.mark.parametrize("behind", [False, True])
async def test_what_a_flight_returned_is_not_kept(behind: bool) -> None:
    flights = Flights[Outcome]()
    returned: list[weakref.ref[Outcome]] = []

    async def load() -> Outcome:
        outcome = Outcome()
        returned.append(weakref.ref(outcome))
        return outcome

    if behind:
        flights.start_behind("k", load, ignore)
    else:
        await flights.join("k", load, ignore)
    await settled()
    gc.collect()
    assert returned[0]() is None

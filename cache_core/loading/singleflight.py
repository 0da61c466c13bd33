"""One load a key at a time, shared by all callers that ask meanwhile.

Knows no source, no limits and no clock.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")

Settle: TypeAlias = Callable[[T], None]
"""Called at once with what a flight has returned, unless the flight was fenced off."""


class FlightEnded(Exception):
    """The flight was ended before it returned anything; its waiters did not end it."""


class Flight(Generic[T]):
    """A running load, and the number of callers that wait for it.

    One that is to go on without a caller counts one waiter more.
    """

    __slots__ = ("task", "waiters")

    def __init__(self, task: "asyncio.Task[T]") -> None:
        self.task = task
        self.waiters = 0


class Flights(Generic[T]):
    """The flights of one group: the first caller for a key starts one, later callers join it.

    A flight is a task of its own, so it outlives any one caller. The last waiter to give up cancels
    it, unless it was started to run behind or to be kept. What a flight returns is settled only
    while it is still its key's flight, told by identity: a fenced or cancelled one changes nothing
    for its successor.
    """

    def __init__(self) -> None:
        self._flights: dict[str, Flight[T]] = {}
        self._tasks: dict[asyncio.Task[T], None] = {}  # the loop holds its tasks only weakly

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: str) -> bool:
        return key in self._flights

    async def join(
        self, key: str, load: Callable[[], Awaitable[T]], settle: Settle[T], *, keep: bool = False
    ) -> T:
        """Return what the key's flight returns, starting one with `load` if none runs.

        A flight that is started with `keep` goes on when its last waiter gives up. Raises to every
        waiter what `load` raises, or FlightEnded where `aclose` is called meanwhile.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._start(key, load, settle)
            flight.waiters += keep
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        except asyncio.CancelledError as error:
            if flight.task.cancelled() and not is_cancelled():
                raise FlightEnded from error
            raise
        finally:
            flight.waiters -= 1
            if flight.waiters == 0:
                self._remove(key, flight)
                flight.task.cancel()

    def start_behind(self, key: str, load: Callable[[], Awaitable[T]], settle: Settle[T]) -> None:
        """Start a flight that goes on without a waiter, unless one runs for the key.

        It has a context of its own, because it is no part of what its caller does.
        """
        if key not in self._flights:
            self._start(key, load, settle, contextvars.Context()).waiters += 1

    def fence(self, key: str) -> None:
        """Keep a flight of the key from settling anything; the next caller starts another."""
        self._flights.pop(key, None)

    def fence_all(self) -> None:
        """Keep the flights that run now from settling anything."""
        self._flights = {}

    async def aclose(self) -> None:
        """Cancel the flights that run, fenced ones included, and wait until they have ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(
        self,
        key: str,
        load: Callable[[], Awaitable[T]],
        settle: Settle[T],
        context: contextvars.Context | None = None,
    ) -> Flight[T]:
        async def run() -> T:
            try:
                outcome = await load()
                if self._flights.get(key) is flight:
                    settle(outcome)
                return outcome
            finally:  # at once, and not only when the loop gets to the task's callbacks
                self._remove(key, flight)

        flight = Flight(asyncio.create_task(run(), context=context))
        self._tasks[flight.task] = None
        flight.task.add_done_callback(partial(self._land, key, flight))
        self._flights[key] = flight
        return flight

    def _land(self, key: str, flight: Flight[T], task: "asyncio.Task[T]") -> None:
        self._tasks.pop(task, None)
        self._remove(key, flight)  # for a task that was cancelled before it ran
        if not task.cancelled():
            task.exception()  # else asyncio logs an error after the last waiter has given up

    def _remove(self, key: str, flight: Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


def is_cancelled() -> bool:
    """Tell whether the current task has been asked to cancel."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

"""One load a key at a time, shared by all who ask meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")

Settle: TypeAlias = Callable[[T], None]
"""Told what a flight returned, at once, unless the flight was fenced off meanwhile."""


class Flight(Generic[T]):
    """A running load and how many wait for it."""

    __slots__ = ("task", "waiters")

    def __init__(self, task: "asyncio.Task[T]") -> None:
        self.task = task
        self.waiters = 0


class Flights(Generic[T]):
    """The flights of one group: the first caller of a key starts one, later callers join it.

    A flight is a task of its own, so it outlives any one caller; the last waiter to give up
    cancels it, unless it was started to run behind. What a flight returns is settled only while
    it is still its key's flight, told by identity: a fenced or cancelled one changes nothing
    for its successor.
    """

    def __init__(self) -> None:
        self._flights: dict[str, Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: str) -> bool:
        return key in self._flights

    async def join(self, key: str, load: Callable[[], Awaitable[T]], settle: Settle[T]) -> T:
        """Return what the key's flight returns, starting one with `load` if none runs.

        Whatever `load` raises is raised to every waiter.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._start(key, load, settle)
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if flight.waiters == 0:
                self._remove(key, flight)
                flight.task.cancel()

    def start_behind(self, key: str, load: Callable[[], Awaitable[T]], settle: Settle[T]) -> None:
        """Start a flight that nobody needs to wait for, if none runs for the key."""
        if key not in self._flights:
            self._start(key, load, settle).waiters += 1

    def fence(self, key: str) -> None:
        """Let a flight of the key settle nothing; who comes next starts another."""
        self._flights.pop(key, None)

    def fence_all(self) -> None:
        """Let no flight that runs now settle anything."""
        self._flights = {}

    def _start(self, key: str, load: Callable[[], Awaitable[T]], settle: Settle[T]) -> Flight[T]:
        async def run() -> T:
            try:
                outcome = await load()
                if self._flights.get(key) is flight:
                    settle(outcome)
                return outcome
            finally:
                self._remove(key, flight)

        flight = Flight(asyncio.create_task(run()))
        flight.task.add_done_callback(_retrieve_exception)
        self._flights[key] = flight
        return flight

    def _remove(self, key: str, flight: Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


def _retrieve_exception(task: "asyncio.Task[T]") -> None:
    """Keep asyncio from logging an error that came after the last waiter had left."""
    if not task.cancelled():
        task.exception()

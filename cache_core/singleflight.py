"""One load a key at a time, shared by all who ask meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Flight(Generic[T]):
    """A running load and how many wait for it."""

    def __init__(self, task: "asyncio.Task[T]") -> None:
        self.task = task
        self.waiters = 0


class Flights(Generic[T]):
    """The flights of one group: the first caller of a key starts one, later callers join it.

    A flight is a task of its own, so it outlives any one caller; the last waiter to give up
    cancels it. It is removed by identity, so a cancelled one never removes its successor.
    """

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def join(self, key: str, load: Callable[[], Awaitable[T]]) -> T:
        """Return what the key's flight returns, starting one with `load` if none runs.

        Whatever `load` raises is raised to every waiter.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._start(key, load)
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if flight.waiters == 0:
                self._remove(key, flight)
                flight.task.cancel()

    def _start(self, key: str, load: Callable[[], Awaitable[T]]) -> _Flight[T]:
        async def run() -> T:
            try:
                return await load()
            finally:
                self._remove(key, flight)

        flight = _Flight(asyncio.create_task(run()))
        flight.task.add_done_callback(_retrieve_exception)
        self._flights[key] = flight
        return flight

    def _remove(self, key: str, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


def _retrieve_exception(task: "asyncio.Task[T]") -> None:
    """Keep asyncio from logging an error that came after the last waiter had left."""
    if not task.cancelled():
        task.exception()

"""Running a statement so that a cancelled caller leaves none running in the database."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import CursorResult, Executable, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

T = TypeVar("T")

INTERRUPT_SECONDS: Final = 0.01
"""Seconds between the interrupts of a cancelled SQLite query: it may begin after the first."""

KILL_SECONDS: Final = 1.0
"""How long a server may take to end a query; past that the connection is closed."""

PATIENCE_SECONDS: Final = 3.0
"""How long a cancelled statement may take to end before it is cancelled once more."""

Interrupt: TypeAlias = Callable[[AsyncConnection, "asyncio.Future[Any]"], Awaitable[None]]


async def execute(
    connection: AsyncConnection, statement: Executable, parameters: Mapping[str, object]
) -> CursorResult[Any]:
    """Return the statement's result; where the caller is cancelled, end the statement first.

    asyncpg does that by itself. The other drivers' connections would be given back to the pool
    while the statement still runs in them.
    """
    interrupt = _INTERRUPTS.get(connection.dialect.name)
    if interrupt is None:
        return await connection.execute(statement, parameters)
    running = asyncio.ensure_future(connection.execute(statement, parameters))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        ending = asyncio.create_task(_interrupt(interrupt, connection, running))
        while not ending.done():  # the caller may be cancelled once more meanwhile
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(ending)
        raise


async def _interrupt(
    interrupt: Interrupt, connection: AsyncConnection, running: "asyncio.Future[Any]"
) -> None:
    """Return once the statement has ended, whatever it and the interrupt end with."""
    (failure,) = await asyncio.gather(interrupt(connection, running), return_exceptions=True)
    if failure is not None:
        running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def _interrupt_sqlite(connection: AsyncConnection, running: "asyncio.Future[Any]") -> None:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    while not running.done():
        await driver.interrupt()
        await asyncio.wait((running,), timeout=INTERRUPT_SECONDS)


async def _kill_mysql(connection: AsyncConnection, running: "asyncio.Future[Any]") -> None:
    """End the query by a second connection: the server would not notice that the first closes."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    side = create_async_engine(connection.engine.url, poolclass=NullPool)

    async def kill() -> None:
        async with side.connect() as killer:
            await killer.execute(text(f"KILL QUERY {int(driver.thread_id())}"))
            await asyncio.wait((running,))

    killing = asyncio.create_task(kill())  # in a task that is cancelled for one reason only
    await asyncio.wait((killing,), timeout=KILL_SECONDS)
    running.cancel()  # which closes the connection, where the query goes on
    await _end(killing)


_INTERRUPTS: Final[Mapping[str, Interrupt]] = {
    "sqlite": _interrupt_sqlite,
    "mysql": _kill_mysql,
    "mariadb": _kill_mysql,
}


class Endings:
    """A runner of calls whose callers can leave at once; a call that is left behind is ended."""

    def __init__(self) -> None:
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Return the result of `call`; a cancelled caller cancels it, and does not wait for it."""
        running = asyncio.create_task(call)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            ending = asyncio.create_task(_end(running))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            raise

    async def wait(self) -> None:
        """Return once all calls that were left behind have ended."""
        await asyncio.gather(*self._ending)


async def _end(running: "asyncio.Task[Any]") -> None:
    while not running.done():
        running.cancel()
        await asyncio.wait((running,), timeout=PATIENCE_SECONDS)
    await asyncio.gather(running, return_exceptions=True)

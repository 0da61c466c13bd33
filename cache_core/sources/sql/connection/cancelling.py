"""Running a statement so that whoever is cancelled leaves none behind in the database."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import CursorResult, Executable, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

T = TypeVar("T")

INTERRUPT_SECONDS: Final = 0.01
"""How often a cancelled SQLite query is told to end until it has: it may not have begun yet."""

KILL_SECONDS: Final = 1.0
"""How long a server may take to end a query; past that the connection is closed."""

PATIENCE_SECONDS: Final = 3.0
"""How long a cancelled statement may take to end before it is cancelled once more."""

Interrupt: TypeAlias = Callable[[AsyncConnection, "asyncio.Future[Any]"], Awaitable[None]]


async def execute(
    connection: AsyncConnection, statement: Executable, parameters: Mapping[str, object]
) -> CursorResult[Any]:
    """Return the statement's result; where the caller is cancelled, end the statement first.

    asyncpg does that by itself. The other connections would be given back with the statement
    running on in them.
    """
    interrupt = _INTERRUPTS.get(connection.dialect.name)
    if interrupt is None:
        return await connection.execute(statement, parameters)
    running = asyncio.ensure_future(connection.execute(statement, parameters))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await interrupt(connection, running)
        await asyncio.gather(running, return_exceptions=True)
        raise


async def _interrupt_sqlite(connection: AsyncConnection, running: "asyncio.Future[Any]") -> None:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    while not running.done():
        await driver.interrupt()
        await asyncio.wait((running,), timeout=INTERRUPT_SECONDS)


async def _kill_mysql(connection: AsyncConnection, running: "asyncio.Future[Any]") -> None:
    """End the query by a second connection, for the server would not notice that one closes."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    side = create_async_engine(connection.engine.url, poolclass=NullPool)
    with contextlib.suppress(Exception):  # whatever it is, the connection is closed then
        async with asyncio.timeout(KILL_SECONDS), side.connect() as killer:
            await killer.execute(text(f"KILL QUERY {int(driver.thread_id())}"))
            await asyncio.wait((running,))
    running.cancel()


_INTERRUPTS: Final[Mapping[str, Interrupt]] = {
    "sqlite": _interrupt_sqlite,
    "mysql": _kill_mysql,
    "mariadb": _kill_mysql,
}


class Endings:
    """Runs calls whose callers may leave at once; what they leave ends behind them."""

    def __init__(self) -> None:
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Return what `call` returns; where the caller is cancelled, `call` is, and not awaited."""
        running = asyncio.create_task(call)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            ending = asyncio.create_task(_end(running))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            raise

    async def wait(self) -> None:
        """Return once all that was left has ended."""
        await asyncio.gather(*self._ending)


async def _end(running: "asyncio.Task[Any]") -> None:
    while not running.done():
        running.cancel()
        await asyncio.wait((running,), timeout=PATIENCE_SECONDS)
    await asyncio.gather(running, return_exceptions=True)

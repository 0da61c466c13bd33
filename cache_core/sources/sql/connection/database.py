"""A pool of connections, asked within time limits, and once more where one was stale."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from cache_core.sources.sql.connection.cancelling import Endings
from cache_core.sources.sql.connection.fault import Blame, DatabaseFault, fault_of
from cache_core.sources.sql.connection.session import guard
from cache_core.sources.sql.connection.url import open_engine

T = TypeVar("T")

CLOSE_SECONDS: Final = 2.0
"""How long the pooled connections may take to close."""

_PLAN_OUTDATED: Final = "0A000"
"""PostgreSQL's SQLSTATE for a prepared statement whose table was altered."""


class Database:
    """The database at `url`, with at most `pool_size` open connections.

    A relative SQLite path starts at `folder`. Timeouts are in seconds. Raises InvalidSource.
    """

    def __init__(
        self,
        url: str,
        *,
        folder: Path,
        pool_size: int,
        connect_timeout: float,
        statement_timeout: float,
    ) -> None:
        self._engine = open_engine(
            url,
            folder=folder,
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=connect_timeout,
            pool_reset_on_return=None,  # nothing is ever begun that would be rolled back
            skip_autocommit_rollback=True,
        )
        guard(self._engine, statement_timeout=statement_timeout)
        self._connect_timeout = connect_timeout
        self._statement_timeout = statement_timeout
        self._endings = Endings()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Return the result of `work`, called with a connection.

        `work` must only read, because it may be called twice. A caller that is cancelled does not
        wait for the statement's end. Raises DatabaseFault.
        """
        limit = asyncio.timeout(self._connect_timeout)
        try:
            async with limit:
                return await self._endings.run(self._run(work, limit))
        except TimeoutError as error:
            raise DatabaseFault(Blame.UNAVAILABLE) from error

    async def aclose(self) -> None:
        """End what runs and close the connections; those that take too long are left behind."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._endings.wait()
                await self._engine.dispose()

    async def _run(
        self, work: Callable[[AsyncConnection], Awaitable[T]], limit: asyncio.Timeout
    ) -> T:
        try:
            return await self._attempt(work, limit)
        except DBAPIError as error:
            if not _is_stale(error):
                raise fault_of(error) from error.orig
        except (SQLAlchemyError, OSError) as error:
            raise fault_of(error) from error
        try:
            return await self._attempt(work, limit)
        except (SQLAlchemyError, OSError) as error:
            raise fault_of(error) from error

    async def _attempt(
        self, work: Callable[[AsyncConnection], Awaitable[T]], limit: asyncio.Timeout
    ) -> T:
        async with contextlib.aclosing(await self._connect()) as connection:
            limit.reschedule(asyncio.get_running_loop().time() + self._statement_timeout)
            return await work(connection)

    async def _connect(self) -> AsyncConnection:
        if self._engine.dialect.name != "sqlite":
            return await self._engine.connect().start()
        # To open a file takes no time, and would leave its thread behind if it were cancelled.
        opening = asyncio.ensure_future(self._engine.connect().start())
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            await (await opening).aclose()
            raise


def _is_stale(error: DBAPIError) -> bool:
    """Tell whether `error` means that the connection was stale, or a statement prepared in it."""
    return error.connection_invalidated or getattr(error.orig, "sqlstate", "") == _PLAN_OUTDATED

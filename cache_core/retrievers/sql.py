"""A group's source is a query in an SQL database."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import CursorResult, TextClause, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.retriever import Retrieved

ASYNC_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite"}
"""The asyncio driver for each kind of database, by the name that a user writes."""

_SQLITE_REFUSALS: Final = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_READONLY}
"""What SQLite calls operational errors, like a lost connection, and are the query's fault."""

INTERRUPT_SECONDS: Final = 0.01
"""How often a cancelled query is told to end until it has: it may not have begun yet."""

CLOSE_SECONDS: Final = 2.0
"""How long the pooled connections may take to close."""


class InvalidSource(ValueError):
    """A URL or query that no retriever can be made of; `setting` is the one at fault."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


class SqlRetriever:
    """A Retriever that runs `query` with the key bound to its one parameter, `:key`.

    The first row's one column is the value: bytes as they are, text as UTF-8, numbers as
    decimal text. No row, or NULL, is no such key. `url` is an SQLAlchemy URL such as
    `sqlite:///scores.db`; an SQLite file must exist, a relative path starts at `folder`, and
    it is opened for reading only. Raises InvalidSource for a URL or query that can't work.
    """

    def __init__(self, url: str, query: str, *, folder: Path | None = None) -> None:
        self._query = _parse_query(query)
        self._engine = _engine(url, folder or Path.cwd())
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine.sync_engine, "connect", _read_only)

    async def retrieve(self, key: str) -> Retrieved:
        """Return the value for `key`, or None. Raises SourceUnavailable, RetrieverFailed.

        A query whose caller is cancelled is ended in the database too.
        """
        try:
            async with self._engine.connect() as connection:
                row = (await _execute(connection, self._query, {"key": key})).first()
        except DBAPIError as error:
            if _is_unavailable(error):
                raise SourceUnavailable("the database can't answer now") from error.orig
            raise RetrieverFailed("the database refused the query") from error.orig
        except PoolTimeout as error:
            raise SourceUnavailable("the database's connections are all in use") from error
        if row is None:
            return None
        if len(row) != 1:
            raise RetrieverFailed(f"the query gives {len(row)} columns, it should give one")
        return _encode(row[0])

    async def check(self) -> None:
        """Ask the database whether the query can work. Raises InvalidSource."""
        query = self._query.text.rstrip().rstrip(";")
        probe = text(f"SELECT * FROM ({query}\n) AS probe LIMIT 0")  # noqa: S608 - the user's own query
        try:
            async with self._engine.connect() as connection:
                columns = (await _execute(connection, probe, {"key": ""})).keys()
        except DBAPIError as error:
            raise InvalidSource("query", f"the database says: {error.orig}") from error
        if len(columns) != 1:
            raise InvalidSource("query", f"it gives {len(columns)} columns, it should give one")

    async def aclose(self) -> None:
        """Close the pooled connections; those that take too long are left behind."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._engine.dispose(), CLOSE_SECONDS)


async def _execute(
    connection: AsyncConnection, query: TextClause, parameters: Mapping[str, str]
) -> CursorResult[Any]:
    """Return the query's result; where the caller is cancelled, interrupt the query first.

    A connection given back while its query runs on would wait for the query's end.
    """
    driver: Any = (await connection.get_raw_connection()).driver_connection
    running = asyncio.ensure_future(connection.execute(query, parameters))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            await driver.interrupt()
            await asyncio.wait((running,), timeout=INTERRUPT_SECONDS)
        await asyncio.gather(running, return_exceptions=True)
        raise


def _is_unavailable(error: DBAPIError) -> bool:
    """Tell a database that can't answer now from one that refuses the query."""
    refused = getattr(error.orig, "sqlite_errorcode", None) in _SQLITE_REFUSALS
    return isinstance(error, OperationalError | InterfaceError) and not refused


def _parse_query(query: str) -> TextClause:
    clause = text(query)
    parameters = set(clause.compile().params)
    if parameters != {"key"}:
        others = ", ".join(f":{name}" for name in sorted(parameters - {"key"}))
        found = f"it has {others}" if others else "it has none"
        raise InvalidSource("query", f"the query's one parameter should be :key, {found}")
    return clause


def _engine(url: str, folder: Path) -> AsyncEngine:
    try:
        return create_async_engine(_parse_url(url, folder))
    except InvalidSource:
        raise
    except (ArgumentError, ValueError):
        # Neither the URL nor what is said of it is repeated: they may hold a password.
        raise InvalidSource("url", "it should be like sqlite:///scores.db") from None


def _parse_url(given: str, folder: Path) -> URL:
    url = make_url(given)
    driver = ASYNC_DRIVERS.get(url.drivername)
    if driver is None:
        kinds = ", ".join(f"{kind}://" for kind in ASYNC_DRIVERS)
        raise InvalidSource("url", f"{url.drivername}:// is not known, use {kinds}")
    return _existing_file(url, folder).set(drivername=driver)


def _existing_file(url: URL, folder: Path) -> URL:
    """Return the URL of the SQLite file in the form that never creates one."""
    if url.database in {None, "", ":memory:"}:
        raise InvalidSource("url", "it names no file, it should be like sqlite:///scores.db")
    file = folder / str(url.database)
    if not file.is_file():
        raise InvalidSource("url", f"there is no SQLite file {file}")
    return url.set(
        database=f"file:{quote(str(file.resolve()))}",
        query={"mode": "rw", **url.query, "uri": "true"},
    )


def _read_only(connection: Any, _record: object) -> None:  # noqa: ANN401 - any driver's own type
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _encode(value: object) -> Retrieved:
    match value:
        case None | bytes():
            return value
        case str():
            return value.encode()
        case int() | float():
            return str(value).encode()
        case _:
            raise RetrieverFailed(f"the query gives {type(value).__name__}, not text or bytes")

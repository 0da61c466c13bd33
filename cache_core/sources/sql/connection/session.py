"""The settings of a new connection, and the check whether a pooled one is still of use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

_FILE: Final = "gaocache.file"
"""The name under which a pooled connection's entry keeps the identity of its file."""


def guard(engine: AsyncEngine, *, statement_timeout: float) -> None:
    """Make every connection of `engine` read-only, with the timeout for each statement, in seconds.

    SQLite has no such timeout; there, a file that was replaced (renamed over) is opened anew.
    """
    pool = engine.sync_engine
    match engine.dialect.name:
        case "sqlite":
            _watch_file(engine)
            event.listen(pool, "connect", _teller(lambda _: ["PRAGMA query_only = ON"]))
        case "postgresql":
            milliseconds = max(1, round(statement_timeout * 1000))
            lines = [
                "SET default_transaction_read_only = on",
                f"SET statement_timeout = {milliseconds}",
            ]
            event.listen(pool, "connect", _teller(lambda _: lines))
        case _:
            event.listen(
                pool, "connect", _teller(lambda driver: _mysql_lines(driver, statement_timeout))
            )


def _teller(
    lines: Callable[[Any], list[str]],
) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    """Return a listener that runs the lines, which depend on the driver's own connection."""

    def tell(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for line in lines(connection):
            cursor.execute(line)
        cursor.close()

    return tell


def _mysql_lines(connection: Any, statement_timeout: float) -> list[str]:  # noqa: ANN401 - the driver's
    """Return the lines for the server that answers, because a mysql:// URL may lead to MariaDB."""
    if "mariadb" in connection.driver_connection.get_server_info().lower():
        limit = f"max_statement_time = {statement_timeout:.6f}"
    else:
        limit = f"max_execution_time = {max(1, round(statement_timeout * 1000))}"
    return ["SET SESSION TRANSACTION READ ONLY", f"SET SESSION {limit}"]


def _watch_file(engine: AsyncEngine) -> None:
    file = Path(unquote(str(engine.url.database).removeprefix("file:")))

    def remember(_connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info[_FILE] = _identity(file)

    def compare(_connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        if record.info.get(_FILE) != _identity(file):
            raise DisconnectionError("the file was replaced")

    event.listen(engine.sync_engine, "connect", remember)
    event.listen(engine.sync_engine, "checkout", compare)


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino

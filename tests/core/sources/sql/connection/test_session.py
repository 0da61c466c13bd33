"""What a new connection is told, and which files count as replaced."""

import contextlib
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool

from cache_core.sources.sql.connection.database import Database
from cache_core.sources.sql.connection.fault import Blame, DatabaseFault
from cache_core.sources.sql.connection.session import guard


class FakeConnection:
    """A driver's connection that notes what it is told; `server` says what it speaks to."""

    def __init__(self, server: str) -> None:
        self.told: list[str] = []
        self.driver_connection = SimpleNamespace(get_server_info=lambda: server)

    def cursor(self) -> Any:  # noqa: ANN401 - a driver's own
        return SimpleNamespace(execute=self.told.append, close=lambda: None)

    def rollback(self) -> None:
        """Have nothing to undo."""

    def close(self) -> None:
        """Have nothing to close."""


def told(dialect: str, *, server: str = "", statement_timeout: float) -> list[str]:
    """Return what a new connection of a guarded pool is told."""
    connection = FakeConnection(server)
    pool = NullPool(lambda: cast("Any", connection))
    engine = SimpleNamespace(sync_engine=pool, dialect=SimpleNamespace(name=dialect))
    guard(cast("AsyncEngine", engine), statement_timeout=statement_timeout)
    pool.connect().close()
    return connection.told


def test_postgresql_may_only_read_and_ends_late_statements_by_itself() -> None:
    assert told("postgresql", statement_timeout=1.5) == [
        "SET default_transaction_read_only = on",
        "SET statement_timeout = 1500",
    ]
    assert told("postgresql", statement_timeout=0.0001)[1] == "SET statement_timeout = 1"


@pytest.mark.parametrize(
    ("server", "limit"),
    [
        ("8.0.36", "SET SESSION max_execution_time = 1500"),
        ("5.5.5-10.11.6-MariaDB-0+deb12u1", "SET SESSION max_statement_time = 1.500000"),
    ],
)
@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_mysql_is_told_in_the_words_of_the_server_that_answers(
    dialect: str, server: str, limit: str
) -> None:
    lines = told(dialect, server=server, statement_timeout=1.5)
    assert lines == ["SET SESSION TRANSACTION READ ONLY", limit]


def write(file: Path, value: str) -> Path:
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE things (value TEXT)")
        connection.execute("INSERT INTO things VALUES (?)", (value,))
    return file


def opened(file: Path) -> contextlib.aclosing[Database]:
    database = Database(
        f"sqlite:///{quote(str(file))}",
        folder=Path("/"),
        pool_size=1,
        connect_timeout=5,
        statement_timeout=5,
    )
    return contextlib.aclosing(database)


async def read(connection: AsyncConnection) -> object:
    return (await connection.execute(text("SELECT value FROM things"))).scalar()


@pytest.mark.parametrize("statement", ["DELETE FROM things", "CREATE TABLE more (a)"])
async def test_a_sqlite_file_can_not_be_written(tmp_path: Path, statement: str) -> None:
    async with opened(write(tmp_path / "own.db", "1")) as database:
        with pytest.raises(DatabaseFault) as failed:
            await database.run(lambda connection: connection.execute(text(statement)))
        assert failed.value.blame is Blame.STATEMENT
        assert await database.run(read) == "1"


@pytest.mark.parametrize("name", ["own.db", "a b%41#?.db", "ä.db"])
async def test_a_file_that_was_replaced_is_opened_anew_whatever_its_name(
    tmp_path: Path, name: str
) -> None:
    file = write(tmp_path / name, "old")
    async with opened(file) as database:
        assert await database.run(read) == "old"
        write(tmp_path / "new", "new").rename(file)
        assert await database.run(read) == "new"

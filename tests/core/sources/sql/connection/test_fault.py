"""Who is to blame where a database gives no answer, by what its driver raises."""

import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cache_core.sources.sql.connection.fault import Blame, fault_of


class Postgres(Exception):
    """An error as asyncpg's adapter raises it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(f"{sqlstate}: no\nhunter2")
        self.sqlstate = sqlstate


class Sqlite(sqlite3.Error):
    def __init__(self, code: int) -> None:
        super().__init__("no")
        self.sqlite_errorcode = code


def raised(original: BaseException, *, invalidated: bool = False) -> DBAPIError:
    return DBAPIError("SELECT 1", None, original, connection_invalidated=invalidated)


@pytest.mark.parametrize(
    ("number", "blame"),
    [
        (1040, Blame.UNAVAILABLE),  # too many connections
        (1053, Blame.UNAVAILABLE),  # shutdown
        (1205, Blame.UNAVAILABLE),  # a wait for a lock
        (1213, Blame.UNAVAILABLE),  # a deadlock
        (1969, Blame.UNAVAILABLE),  # MariaDB's statement timeout
        (3024, Blame.UNAVAILABLE),  # MySQL's
        (2003, Blame.UNAVAILABLE),  # can't connect
        (2006, Blame.UNAVAILABLE),  # gone away
        (2013, Blame.UNAVAILABLE),  # lost during the query
        (1044, Blame.ACCESS),  # to the database
        (1045, Blame.ACCESS),  # the password
        (1049, Blame.ACCESS),  # no such database
        (1064, Blame.STATEMENT),  # its syntax
        (1142, Blame.STATEMENT),  # the table may not be read
        (1146, Blame.STATEMENT),  # no such table
    ],
)
def test_mysql_tells_it_by_a_number(number: int, blame: Blame) -> None:
    fault = fault_of(raised(Exception(number, "no\nhunter2")))
    assert (fault.blame, fault.words) == (blame, "no")


@pytest.mark.parametrize(
    ("sqlstate", "blame"),
    [
        ("08006", Blame.UNAVAILABLE),  # the connection broke
        ("25P03", Blame.UNAVAILABLE),  # idle for too long
        ("25006", Blame.STATEMENT),  # it would write
        ("28P01", Blame.ACCESS),  # the password
        ("3D000", Blame.ACCESS),  # no such database
        ("40P01", Blame.UNAVAILABLE),  # a deadlock
        ("42P01", Blame.STATEMENT),  # no such table
        ("53300", Blame.UNAVAILABLE),  # too many connections
        ("55P03", Blame.UNAVAILABLE),  # a lock
        ("55000", Blame.STATEMENT),
        ("57014", Blame.UNAVAILABLE),  # the statement timeout
        ("57P01", Blame.UNAVAILABLE),  # shutdown
        ("58030", Blame.UNAVAILABLE),  # the disk
        ("22P02", Blame.STATEMENT),  # this key
    ],
)
def test_postgresql_tells_it_by_a_class_or_a_code(sqlstate: str, blame: Blame) -> None:
    for error in (raised(Postgres(sqlstate)), Postgres(sqlstate)):
        fault = fault_of(error)
        assert (fault.blame, fault.words) == (blame, f"{sqlstate}: no")


@pytest.mark.parametrize(
    ("code", "blame"),
    [
        (sqlite3.SQLITE_ERROR, Blame.STATEMENT),
        (sqlite3.SQLITE_ERROR_MISSING_COLLSEQ, Blame.STATEMENT),
        (sqlite3.SQLITE_READONLY, Blame.STATEMENT),
        (sqlite3.SQLITE_NOTADB, Blame.STATEMENT),
        (sqlite3.SQLITE_BUSY, Blame.UNAVAILABLE),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Blame.UNAVAILABLE),
        (sqlite3.SQLITE_IOERR_READ, Blame.UNAVAILABLE),
        (sqlite3.SQLITE_CANTOPEN, Blame.UNAVAILABLE),
        (sqlite3.SQLITE_INTERRUPT, Blame.UNAVAILABLE),
    ],
)
def test_sqlite_tells_it_by_a_code_or_an_extended_one(code: int, blame: Blame) -> None:
    assert fault_of(raised(Sqlite(code))).blame is blame


@pytest.mark.parametrize(
    ("error", "blame"),
    [
        (PoolTimeout(), Blame.UNAVAILABLE),
        (ConnectionRefusedError(111, "refused"), Blame.UNAVAILABLE),
        (EOFError(), Blame.UNAVAILABLE),
        (DisconnectionError(), Blame.UNAVAILABLE),
        (raised(Exception("gone"), invalidated=True), Blame.UNAVAILABLE),
        (raised(Exception("odd")), Blame.STATEMENT),
    ],
)
def test_without_any_code_it_is_the_kind_of_the_error(error: Exception, blame: Blame) -> None:
    assert fault_of(error).blame is blame


def test_what_a_caller_is_told_has_no_words_of_the_database() -> None:
    assert (
        str(fault_of(raised(Exception(1064, "near hunter2")))) == "the database refused the query"
    )

"""The blame for a failed statement: one table for all drivers."""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, NamedTuple

from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Blame(Enum):
    """The reason why there is no answer."""

    UNAVAILABLE = auto()
    """The database can't be reached or can't answer now."""
    ACCESS = auto()
    """The server refuses the user, the password or the database."""
    STATEMENT = auto()
    """The database refuses the statement, or this key in it."""


_SAID: Final = MappingProxyType(
    {
        Blame.UNAVAILABLE: "the database can't answer now",
        Blame.ACCESS: "the database refused the user, the password or the database's name",
        Blame.STATEMENT: "the database refused the query",
    }
)


class DatabaseFault(Exception):
    """The database gave no answer; `blame` says why.

    The error's text is ours and fit for a caller's eyes. `words` are the database's own, which may
    repeat the content of a row, but no password.
    """

    def __init__(self, blame: Blame, words: str = "") -> None:
        self.said = _SAID[blame]
        super().__init__(self.said)
        self.blame = blame
        self.words = words


class _Codes(NamedTuple):
    unavailable: frozenset[int]
    access: frozenset[int]


_SQLITE_STATEMENT: Final = frozenset({1, 8, 12, 18, 19, 20, 21, 23, 25, 26})
"""SQLite's primary result codes for a lasting fault, of the statement or of the file."""

_MYSQL: Final = _Codes(
    unavailable=frozenset(
        {1040, 1042, 1043, 1053, 1077, 1078, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1203}
        | {1205, 1213, 1226, 1317, 1836, 1927, 1969, 3024, 4031}
        | set(range(2000, 2030))
        | {2055}
    ),
    access=frozenset({1044, 1045, 1049, 1130, 1251, 1698, 1820, 1862}),
)
"""Error numbers of MySQL and MariaDB; those from 2000 on are the client's."""

_POSTGRES: Final[Mapping[str, Blame]] = MappingProxyType(
    {
        "08": Blame.UNAVAILABLE,  # connection
        "25P03": Blame.UNAVAILABLE,
        "28": Blame.ACCESS,
        "3D": Blame.ACCESS,  # no such database
        "40": Blame.UNAVAILABLE,  # serialization, deadlock
        "53": Blame.UNAVAILABLE,  # too many connections, out of memory or disk
        "55P03": Blame.UNAVAILABLE,  # a lock
        "57": Blame.UNAVAILABLE,  # shutdown, statement timeout
        "58": Blame.UNAVAILABLE,  # the system's own errors
    }
)
"""The blame of SQLSTATEs, and of classes of them by their first two characters."""


def fault_of(error: Exception) -> DatabaseFault:
    """Return the fault that `error`, raised by SQLAlchemy or a driver, stands for."""
    original = (error.orig if isinstance(error, DBAPIError) else None) or error
    match original.args:  # before SQLSTATEs, because MySQL's are too coarse
        case (int(number), words, *_) if isinstance(error, DBAPIError):
            return DatabaseFault(_mysql_blame(number), _first_line(words))
    sqlstate = getattr(original, "sqlstate", None)
    if isinstance(sqlstate, str):
        known = _POSTGRES.get(sqlstate) or _POSTGRES.get(sqlstate[:2])
        return DatabaseFault(known or Blame.STATEMENT, _first_line(original.__cause__ or original))
    code = getattr(original, "sqlite_errorcode", None)
    if isinstance(code, int):
        is_statement = code & 0xFF in _SQLITE_STATEMENT
        return DatabaseFault(
            Blame.STATEMENT if is_statement else Blame.UNAVAILABLE, _first_line(original)
        )
    gone = isinstance(error, OSError | EOFError | PoolTimeout | DisconnectionError)
    if gone or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return DatabaseFault(Blame.UNAVAILABLE)
    return DatabaseFault(Blame.STATEMENT, _first_line(original))


def _mysql_blame(number: int) -> Blame:
    if number in _MYSQL.access:
        return Blame.ACCESS
    return Blame.UNAVAILABLE if number in _MYSQL.unavailable else Blame.STATEMENT


def _first_line(said: object) -> str:
    return str(said).partition("\n")[0]

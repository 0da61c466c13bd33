"""From the URL that a user writes to the URL that SQLAlchemy takes, and to an engine."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cache_core.loading.retriever import InvalidSource

EXAMPLES: Final = "sqlite:///file.db, postgresql://user@host/database or mysql://user@host/database"

BUSY_SECONDS: Final = 2.0
"""How long SQLite waits for a writer's lock; nothing can end that wait earlier."""


class _Driver(NamedTuple):
    """The driver for a kind of database: its name in SQLAlchemy, and the extra that installs it.

    `options` are the parameters that a user's URL may have; others are refused, because they could
    be a part of a password.
    """

    name: str
    extra: str = ""
    options: frozenset[str] = frozenset()


_POSTGRES: Final = _Driver("postgresql+asyncpg", "postgres", frozenset({"host", "sslmode"}))
_MYSQL_OPTIONS: Final = frozenset(
    {"unix_socket", "ssl_ca", "ssl_cert", "ssl_key", "ssl_check_hostname"}
)
_DRIVERS: Final[Mapping[str, _Driver]] = MappingProxyType(
    {
        "sqlite": _Driver(
            "sqlite+aiosqlite", options=frozenset({"mode", "cache", "immutable", "nolock", "vfs"})
        ),
        "postgresql": _POSTGRES,
        "postgres": _POSTGRES,
        "mysql": _Driver("mysql+asyncmy", "mysql", _MYSQL_OPTIONS),
        "mariadb": _Driver("mariadb+asyncmy", "mysql", _MYSQL_OPTIONS),
    }
)


def parse_url(given: str) -> URL:
    """Return `given` as the URL of a known kind of database.

    Raises InvalidSource, whose words do not repeat the URL.
    """
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise InvalidSource("url", f"it should be like {EXAMPLES}") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        kinds = ", ".join(f"{kind}://" for kind in _DRIVERS)
        raise InvalidSource("url", f"{url.drivername}:// is not known, use {kinds}")
    unknown = sorted(set(url.query) - driver.options)
    if unknown and "@" in given.partition("?")[2]:  # what follows may be the password's end
        raise InvalidSource("url", "a ? or @ of its password should be percent-encoded")
    if unknown:
        known = ", ".join(sorted(driver.options))
        raise InvalidSource("url", f"its parameter {unknown[0]} is not known, use {known}")
    return url


def open_engine(given: str, *, folder: Path, **settings: Any) -> AsyncEngine:  # noqa: ANN401 - SQLAlchemy's own
    """Return an engine for the URL `given`, which connects to nothing yet.

    A relative SQLite path starts at `folder`. `settings` are SQLAlchemy's. Raises InvalidSource.
    """
    url = parse_url(given)
    driver = _DRIVERS[url.drivername]
    arguments: dict[str, Any] = {}
    match url.get_backend_name():
        case "sqlite":
            url = _existing_file(url, folder)
            arguments["timeout"] = BUSY_SECONDS
        case "postgresql" | "postgres":
            sslmode = url.query.get("sslmode")
            if sslmode is not None:
                arguments["ssl"] = sslmode
            url = url.difference_update_query(["sslmode"])
        case _:
            url = url.update_query_dict({"charset": "utf8mb4"})
    try:
        return create_async_engine(
            url.set(drivername=driver.name),
            connect_args=arguments,
            hide_parameters=True,
            **settings,
        )
    except ImportError as error:
        words = f"{url.drivername}:// needs a driver: pip install 'gaocache[{driver.extra}]'"
        raise InvalidSource("url", words) from error
    except (ArgumentError, ValueError):
        raise InvalidSource("url", f"it should be like {EXAMPLES}") from None


def _existing_file(url: URL, folder: Path) -> URL:
    """Return the URL of the SQLite file in a form that never creates a file.

    Raises InvalidSource where there is no such file.
    """
    if url.database in {None, "", ":memory:"}:
        raise InvalidSource("url", "it names no file, it should be like sqlite:///file.db")
    file = folder / str(url.database)
    if not file.is_file():
        raise InvalidSource("url", f"there is no SQLite file {file}")
    return url.set(
        database=f"file:{quote(str(file.resolve()))}",
        query={"mode": "rw", **url.query, "uri": "true"},
    )

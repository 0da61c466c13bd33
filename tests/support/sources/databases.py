"""The databases that tests of the sql source of any kind of database are run on."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from sources.rigs.mariadb import mariadb
from sources.rigs.postgres import postgres

from cache_core.sources.sql.retriever import SqlRetriever
from cache_core.sources.sql.settings import SqlSource

WITHIN: Final = 20.0

Execute: TypeAlias = Callable[..., Awaitable[Sequence[Sequence[Any]]]]


class Place:
    """A database, and retrievers for it."""

    def __init__(self, kind: str, url: str, execute: Execute) -> None:
        self.kind = kind
        self.url = url
        self.execute = execute
        self._opened: list[SqlRetriever] = []

    def open(self, **given: object) -> SqlRetriever:
        """Return a retriever with those settings, which is closed with the place."""
        source = SqlSource.model_validate({"url": self.url, **given})
        self._opened.append(SqlRetriever(source, folder=Path("/")))
        return self._opened[-1]

    async def aclose(self) -> None:
        for retriever in self._opened:
            await retriever.aclose()

    async def fill(self, *script: str) -> None:
        for statement in script:
            await self.execute(statement)


@contextlib.asynccontextmanager
async def sqlite_place(folder: Path) -> AsyncIterator[Place]:
    file = folder / "own.db"

    async def execute(statement: str) -> Sequence[Sequence[Any]]:
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            return connection.execute(statement).fetchall()

    await execute("CREATE TABLE things (name TEXT PRIMARY KEY, value BLOB)")
    yield Place("sqlite", f"sqlite:///{file}", execute)


@contextlib.asynccontextmanager
async def postgres_place(folder: Path) -> AsyncIterator[Place]:
    async with postgres(folder) as rig:
        yield Place("postgres", rig.open_url, rig.execute)


@contextlib.asynccontextmanager
async def mariadb_place(folder: Path) -> AsyncIterator[Place]:
    async with mariadb(folder) as rig:
        yield Place("mariadb", rig.open_url, rig.execute)


SERVERS: Final = [
    pytest.param(postgres_place, id="postgres", marks=pytest.mark.service),
    pytest.param(mariadb_place, id="mariadb", marks=pytest.mark.service),
]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it holds: no server tells when a query begins or ends."""
    async with asyncio.timeout(WITHIN):
        while not await holds():  # noqa: ASYNC110 - as just said
            await asyncio.sleep(0.02)

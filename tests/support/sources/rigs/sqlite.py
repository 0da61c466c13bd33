"""A real SQLite file."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from cache_core.sources.sql.settings import SqlSource


class SqliteRig:
    """The table `things` in a file, which is gone while the file is renamed."""

    secret = ""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "things.db"
        self._away = folder / "things.away"
        self.source = SqlSource(
            url=f"sqlite:///{self._file}", query="SELECT value FROM things WHERE name = :key"
        )
        self._locking: sqlite3.Connection | None = None
        with contextlib.closing(sqlite3.connect(self._file)) as connection, connection:
            connection.execute("CREATE TABLE things (name TEXT PRIMARY KEY, value BLOB)")

    async def put(self, key: str, data: bytes) -> None:
        await asyncio.to_thread(self._put, key, data)

    async def break_off(self) -> None:
        self._file.rename(self._away)
        self._file.mkdir()  # connections of the pool still have the file, new ones fail

    async def mend(self) -> None:
        if self._locking is not None:
            self._locking.close()
            self._locking = None
        if self._away.exists():
            self._file.rmdir()
            self._away.rename(self._file)

    async def hang(self) -> None:
        """Hold an exclusive lock, for which every reader waits."""
        self._locking = sqlite3.connect(self._file, isolation_level=None)
        self._locking.execute("BEGIN EXCLUSIVE")

    def wrong_password(self) -> None:
        return None

    def _put(self, key: str, data: bytes) -> None:
        with contextlib.closing(sqlite3.connect(self._file)) as connection, connection:
            connection.execute("INSERT OR REPLACE INTO things VALUES (?, ?)", (key, data))


@contextlib.asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[SqliteRig]:
    rig = SqliteRig(folder)
    try:
        yield rig
    finally:
        await rig.mend()

"""A real PostgreSQL, a database a test."""

import contextlib
import functools
import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from sources.rigs.server import DatabaseServer, as_user, folder_of, free_port, needed

from cache_core.sources.sql.settings import SqlSource

OWNER = "postgres"
OPEN = "open"
"""A user without a password."""
SECRET = "s3cret-of-postgres"
ACCESS = f"""\
local all all trust
host all {OPEN} 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
USERS = f"""\
CREATE ROLE {OPEN} SUPERUSER LOGIN;
CREATE ROLE gao LOGIN PASSWORD '{SECRET}';
"""


class PostgresRig:
    """The table `things` in a database of its own."""

    secret = SECRET

    def __init__(self, server: DatabaseServer, database: str) -> None:
        self.server = server
        self._database = database
        self._place = f"127.0.0.1:{server.port}/{database}"
        self.url = f"postgresql://gao:{SECRET}@{self._place}"
        self.open_url = f"postgresql://{OPEN}@{self._place}"
        self.source = SqlSource(
            url=self.url, query="SELECT value FROM things WHERE name = :key", connect_timeout=2
        )

    async def execute(self, script: str, *arguments: object) -> Sequence[Sequence[Any]]:
        """Run `script`, return its rows."""
        async with connected(self.server.port, self._database) as connection:
            rows: list[Sequence[Any]] = []
            if arguments or script.startswith("SELECT"):
                rows = await connection.fetch(script, *arguments)
            else:  # several statements can't be prepared
                await connection.execute(script)
            return rows

    async def put(self, key: str, data: bytes) -> None:
        await self.execute(
            "INSERT INTO things VALUES ($1, $2) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            key,
            data,
        )

    async def break_off(self) -> None:
        self.server.kill()

    async def mend(self) -> None:
        await self.server.start()

    async def hang(self) -> None:
        self.server.freeze()

    def wrong_password(self) -> SqlSource:
        return self.source.model_copy(update={"url": f"postgresql://gao:wrong@{self._place}"})


@contextlib.asynccontextmanager
async def connected(port: int, database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user=OPEN, database=database, timeout=5
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


async def is_ready(port: int) -> None:
    async with connected(port, "postgres") as connection:
        await connection.execute("SELECT 1")


@functools.cache
def server() -> DatabaseServer:
    """Return this process's server; the first call makes its files."""
    postgres, initdb = needed("postgres"), needed("initdb")
    folder = folder_of(OWNER)
    data = folder / "data"
    as_owner = as_user(OWNER)
    given = ["-U", OWNER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    run(*as_owner, initdb, "-D", str(data), *given)
    (data / "pg_hba.conf").write_text(ACCESS)
    single = [*as_owner, postgres, "--single", "-D", str(data), "postgres"]
    run(*single, given=USERS)
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "full_page_writes": "off",
        "shared_buffers": "16MB",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return DatabaseServer(
        [postgres, "-D", str(data), "-p", str(port), *options],
        user=OWNER,
        port=port,
        is_ready=is_ready,
        unready=(asyncpg.PostgresError, TimeoutError),
    )


def run(*command: str, given: str = "") -> None:
    """Run a command that makes a server's files, from a folder that its user may enter."""
    ran = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path("/"),
        env={"PATH": os.environ["PATH"]},
    )
    assert ran.returncode == 0, ran.stderr


@contextlib.asynccontextmanager
async def postgres(_folder: Path) -> AsyncIterator[PostgresRig]:
    serving = server()
    await serving.start()
    database = f"test_{uuid4().hex}"
    async with connected(serving.port, "postgres") as connection:
        await connection.execute(f"CREATE DATABASE {database} OWNER gao")
    rig = PostgresRig(serving, database)
    await rig.execute(
        "CREATE TABLE things (name TEXT PRIMARY KEY, value BYTEA); GRANT ALL ON things TO gao"
    )
    try:
        yield rig
    finally:
        await rig.mend()
        async with connected(serving.port, "postgres") as connection:
            await connection.execute(f"DROP DATABASE {database} WITH (FORCE)")

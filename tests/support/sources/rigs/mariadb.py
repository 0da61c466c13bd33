"""A real MariaDB, a database a test."""

import contextlib
import functools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncmy
from asyncmy.errors import Error
from sources.rigs.postgres import run
from sources.rigs.server import DatabaseServer, as_user, folder_of, free_port, needed

from cache_core.sources.sql.settings import SqlSource

OWNER = "mysql"
OPEN = "open"
"""A user without a password, who may do anything."""
SECRET = "s3cret-of-mariadb"
USERS = f"""\
FLUSH PRIVILEGES;
CREATE USER '{OPEN}'@'%' IDENTIFIED BY '';
GRANT ALL ON *.* TO '{OPEN}'@'%' WITH GRANT OPTION;
CREATE USER 'gao'@'%' IDENTIFIED BY '{SECRET}';
GRANT SELECT ON *.* TO 'gao'@'%';
"""


class MariadbRig:
    """The table `things` in a database of its own."""

    secret = SECRET

    def __init__(self, server: DatabaseServer, database: str) -> None:
        self.server = server
        self._database = database
        self._place = f"127.0.0.1:{server.port}/{database}"
        self.url = f"mariadb://gao:{SECRET}@{self._place}"
        self.open_url = f"mariadb://{OPEN}@{self._place}"
        self.source = SqlSource(
            url=self.url, query="SELECT value FROM things WHERE name = :key", connect_timeout=2
        )

    async def execute(self, *script: str) -> Sequence[Sequence[Any]]:
        """Run the statements of `script`, return the last one's rows."""
        place = (self.server.port, self._database)
        async with connected(*place) as connection, connection.cursor() as cursor:
            for statement in script:
                await cursor.execute(statement)
            return list(await cursor.fetchall())

    async def put(self, key: str, data: bytes) -> None:
        await self.execute(f"REPLACE INTO things VALUES (X'{key.encode().hex()}', X'{data.hex()}')")

    async def break_off(self) -> None:
        self.server.kill()

    async def mend(self) -> None:
        await self.server.start()

    async def hang(self) -> None:
        self.server.freeze()

    def wrong_password(self) -> SqlSource:
        return self.source.model_copy(update={"url": f"mariadb://gao:wrong@{self._place}"})


@contextlib.asynccontextmanager
async def connected(port: int, database: str | None) -> AsyncIterator[Any]:
    connection = await asyncmy.connect(
        host="127.0.0.1",
        port=port,
        user=OPEN,
        database=database,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=5,
    )
    try:
        yield connection
    finally:
        await connection.ensure_closed()


async def is_ready(port: int) -> None:
    async with connected(port, None):
        pass


@functools.cache
def server() -> DatabaseServer:
    """Return this process's server; the first call makes its files."""
    mariadbd, install = needed("mariadbd"), needed("mariadb-install-db")
    folder = folder_of(OWNER)
    data = folder / "data"
    as_owner = as_user(OWNER)
    run(
        *as_owner,
        install,
        "--no-defaults",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        f"--user={OWNER}",
    )
    small = ["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0"]
    files = ["--no-defaults", f"--datadir={data}"]
    run(*as_owner, mariadbd, *files, *small, "--bootstrap", given=USERS)
    port = free_port()
    where = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder / 'socket'}"]
    return DatabaseServer(
        [mariadbd, *files, *small, *where, f"--pid-file={folder / 'pid'}"],
        user=OWNER,
        port=port,
        is_ready=is_ready,
        unready=(Error, TimeoutError),
    )


@contextlib.asynccontextmanager
async def mariadb(_folder: Path) -> AsyncIterator[MariadbRig]:
    serving = server()
    await serving.start()
    database = f"test_{uuid4().hex}"
    async with connected(serving.port, None) as connection, connection.cursor() as cursor:
        await cursor.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
    rig = MariadbRig(serving, database)
    await rig.execute(
        "CREATE TABLE things (name VARCHAR(600) PRIMARY KEY, value LONGBLOB) COLLATE utf8mb4_bin"
    )
    try:
        yield rig
    finally:
        await rig.mend()
        await rig.execute(f"DROP DATABASE {database}")

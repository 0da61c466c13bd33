import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sources.bucket_server import BucketServer
from sources.databases import SERVERS, Place, sqlite_place
from sources.rig import MakeRig
from sources.rigs.s3 import s3
from sqlalchemy import event
from sqlalchemy.engine import Engine


@pytest.fixture(scope="session")
def s3_server() -> Iterator[BucketServer]:
    """Moto's server, which all tests share: it takes a second to start."""
    pytest.importorskip("moto", reason="needs moto, of the extra `test`")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "{port}"]
    with BucketServer(command) as server:
        yield server


@pytest.fixture
def make_s3(s3_server: BucketServer) -> MakeRig:
    return s3(s3_server)


@pytest.fixture(params=[pytest.param(sqlite_place, id="sqlite"), *SERVERS])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """A database of each kind."""
    async with request.param(tmp_path) as opened, contextlib.aclosing(opened):
        yield opened


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """The statements that any engine sends."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)

import contextlib
import gc
import os
import sqlite3
from collections.abc import AsyncIterator, Generator, Sequence
from pathlib import Path

import pytest
from fakes import SCORES, FakeClock, FakeSource, scores_source
from processes import GatewayAt
from served_gateway import NEAR_CACHE, PATIENT, serve_gateway

from cache_core import Client, Group, Node
from gateway.http.limits import Limits

pytest_plugins = "leftovers"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In CI, nothing that was asked for may be skipped for want of a service."""
    if os.environ.get("CI"):
        for item in items:
            item.add_marker("no_skips")


def pytest_collection_finish() -> None:
    """Spare the collector what is there before the first test, and stays until the last.

    That is half a million objects, and tests collect garbage hundreds of times.
    """
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.get_closest_marker("no_skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


@pytest.fixture
def source() -> FakeSource:
    """The demo's scores and a few keys that are hard to carry."""
    return scores_source()


@pytest.fixture
async def node(source: FakeSource) -> AsyncIterator[Node]:
    """A node on a free port with the group `scores` over `source`."""
    async with Node("127.0.0.1:0", [Group("scores", source)], grace=5) as serving:
        yield serving


@pytest.fixture
async def client(node: Node) -> AsyncIterator[Client]:
    async with Client(node.address, timeout=10) as asking:
        yield asking


@pytest.fixture
async def gateway_url(node: Node, gateway_at: GatewayAt) -> str:
    """A gateway on a free port in front of `node`."""
    return await gateway_at(node.address)


@pytest.fixture
async def gateway_at() -> AsyncIterator[GatewayAt]:
    """Serve a gateway in front of the node at an address, as told; return its URL."""
    async with contextlib.AsyncExitStack() as gateways:

        async def start(
            node_address: str,
            *,
            limits: Limits = PATIENT,
            cors_origins: Sequence[str] = (),
            cors_removal: bool = False,
            hosts: Sequence[str] = ("*",),
            near_cache: int = NEAR_CACHE,
        ) -> str:
            serving = serve_gateway(
                node_address,
                limits=limits,
                cors_origins=cors_origins,
                cors_removal=cors_removal,
                hosts=hosts,
                near_cache=near_cache,
            )
            return await gateways.enter_async_context(serving)

        yield start


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def scores_db(tmp_path: Path) -> Path:
    """A real SQLite file with a table `scores`."""
    file = tmp_path / "scores.db"
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE scores (name TEXT PRIMARY KEY, score BLOB)")
        rows = [(key, value.decode()) for key, value in SCORES.items()]
        connection.executemany("INSERT INTO scores VALUES (?, ?)", rows)
    return file

"""Ten thousand connections to one node: what it takes for them stays within its settings."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from http2.frame_writer import HELLO, data, headers
from many_connections import connected, descriptors_for, resident
from processes import Serving, spawn

from cache_core import Client
from cache_core.address import Address
from cache_core.rpc.channel import GET
from cache_core.rpc.grpc.requests import request_block
from cache_core.settings import MIB

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CONNECTIONS: Final = 10_000
TOTAL: Final = 128 * MIB
BEGUN: Final = HELLO + headers(1, request_block(GET, "n", ()), end=False)
UNFINISHED: Final = BEGUN + data(1, b"\0\0\x01\0\0" + bytes(16_000))
"""A call of which a quarter of the message has come: 10,000 of them are 160 MB."""


@pytest.fixture
def count() -> Iterator[int]:
    with descriptors_for(CONNECTIONS) as count:
        yield count


@pytest.fixture
async def node(count: int, tmp_path: Path) -> AsyncIterator[Serving]:
    assert count > 0
    environment = {
        **os.environ,
        "GAOCACHE_DATA_DIR": str(tmp_path),
        "GAOCACHE_NODE_TOTAL_CONNECTION_MEMORY": f"{TOTAL}",
        "GAOCACHE_NODE_LOG_LEVEL": "error",
    }
    process = await spawn(["node", "--listen", "127.0.0.1:0"], environment)
    serving = Serving(process)
    yield serving
    ended = await serving.stop()
    assert (ended.status, ended.stderr) == (0, "")


async def test_ten_thousand_connections_hold_no_more_than_they_may(
    node: Serving, count: int
) -> None:
    name = await node.until(r"node (\S+) serves")
    address, pid = Address.parse(name), node.process.pid
    async with Client(name) as client:
        assert (await client.get("scores", "Tom")).data == b"630"
        before = resident(pid)
        with ExitStack() as opened:
            for _ in range(count):
                connected(opened, address, HELLO)
            assert (await client.get("scores", "Tom", timeout=30)).data == b"630"
            assert resident(pid) - before < TOTAL
        for _ in range(2):
            with ExitStack() as opened:
                for _ in range(count):
                    connected(opened, address, UNFINISHED)
                assert (await client.get("scores", "Tom", timeout=30)).data == b"630"
                assert resident(pid) - before < 1.5 * TOTAL

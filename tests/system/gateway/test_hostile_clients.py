"""A gateway's process and clients that take what they can: its memory stays within its settings."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from typing import Final, NamedTuple

import httpx
import pytest
from many_connections import connected, descriptors_for, resident
from processes import Serving, spawn

from cache_core.address import Address
from cache_core.settings import MIB

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CONNECTIONS: Final = 9_900
"""Within the usual `max_connections`, with some for those who ask."""

EACH: Final = 40 * 1024
"""The most that a connection takes that does nothing."""

TOTAL: Final = 64 * MIB
FLOOD_SECONDS: Final = 10.0
P99: Final = 0.5
"""In seconds, while other tests use the machine as well; alone it is a few milliseconds."""


TOM: Final = "/groups/scores/keys/Tom"
LINE: Final = f"GET {TOM} HTTP/1.1\r\nHost: localhost\r\n"
LARGE: Final = b"GET /groups/large/keys/1?alt=media HTTP/1.1\r\nHost: localhost\r\n\r\n"
BATCH: Final = (
    b"GET /groups/large/keys?" + b"&".join(b"key=%d" % n for n in range(20)) + b" HTTP/1.1\r\n"
    b"Host: localhost\r\n\r\n"
)

GROUPS: Final = """
[groups.scores.source]
kind = "sql"
url = "sqlite:///{file}"
query = "SELECT '630' WHERE :key = 'Tom'"

[groups.large.source]
kind = "sql"
url = "sqlite:///{file}"
query = "SELECT zeroblob(3000000) WHERE :key <> ''"
"""


class Gateway(NamedTuple):
    """A gateway that serves."""

    address: Address
    pid: int

    @property
    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://{self.address}", trust_env=False, verify=False, timeout=20
        )


@pytest.fixture
def count() -> Iterator[int]:
    with descriptors_for(CONNECTIONS) as count:
        yield count


@pytest.fixture
async def gateway(count: int, tmp_path: Path) -> AsyncIterator[Gateway]:
    assert count > 0
    (tmp_path / "empty.db").touch()
    config = tmp_path / "gaocache.toml"
    config.write_text(GROUPS.format(file=tmp_path / "empty.db"))
    environment = {
        **os.environ,
        "GAOCACHE_GATEWAY_TOTAL_CONNECTION_MEMORY": f"{TOTAL}",
        "GAOCACHE_NODE_TOTAL_CONNECTION_MEMORY": "4GiB",  # what nodes bound is tried elsewhere
        "GAOCACHE_NODE_LOG_LEVEL": "error",
    }
    started = ["--listen", "127.0.0.1:0", "--config", str(config)]
    node = Serving(await spawn(["node", *started], environment))
    name = await node.until(r"node (\S+) serves")
    asking = Serving(await spawn(["gateway", *started, "--node", name], environment))
    url = await asking.until(r"gateway http://(\S+) asks")
    yield Gateway(Address.parse(url), asking.process.pid)
    for serving in (asking, node):
        ended = await serving.stop()
        assert (ended.status, ended.stderr) == (0, "")


async def p99_of_a_healthy_client(gateway: Gateway) -> float:
    took = []
    async with gateway.http as http:
        for _ in range(1_000):
            began = time.perf_counter()
            assert (await http.get(TOM)).status_code == 200
            took.append(time.perf_counter() - began)
    return quantiles(took, n=100)[98]


async def test_ten_thousand_connections_hold_no_more_than_they_may(
    gateway: Gateway, count: int
) -> None:
    assert await p99_of_a_healthy_client(gateway) < P99
    before = resident(gateway.pid)
    kinds = (b"", LINE.encode() + b"X-Part: " + b"a" * 3_000, LARGE)
    with ExitStack() as opened:
        for number in range(count):
            connected(opened, gateway.address, kinds[number % 3])
        assert await p99_of_a_healthy_client(gateway) < P99
        assert resident(gateway.pid) - before < count * EACH + 2 * TOTAL
    assert await p99_of_a_healthy_client(gateway) < P99


@pytest.mark.parametrize("fields", ["", "X-Odd: 1\r\n"], ids=["lane", "app"])
async def test_requests_without_end_on_one_connection_take_no_memory(
    gateway: Gateway, fields: str
) -> None:
    many = f"{LINE}{fields}\r\n".encode() * 2_000
    async with gateway.http as http:
        assert (await http.get(TOM)).status_code == 200
    reader, writer = await asyncio.open_connection(*gateway.address)

    async def read_all() -> None:
        while await reader.read(1 << 20):
            pass

    reading = asyncio.create_task(read_all())
    sizes = list[int]()
    until = time.monotonic() + FLOOD_SECONDS
    while time.monotonic() < until:
        writer.write(many)
        await writer.drain()
        sizes.append(resident(gateway.pid))
    writer.transport.abort()
    await asyncio.gather(reading, return_exceptions=True)
    assert max(sizes) - sizes[len(sizes) // 4] < 5 * MIB


async def test_batches_that_nobody_reads_are_refused_and_not_kept(gateway: Gateway) -> None:
    async with gateway.http as http:
        assert (await http.get(TOM)).status_code == 200
    before = resident(gateway.pid)
    with ExitStack() as opened:
        for _ in range(20):
            connected(opened, gateway.address, BATCH)
        assert await p99_of_a_healthy_client(gateway) < P99
        assert resident(gateway.pid) - before < 6 * TOTAL
    async with gateway.http as http:
        response = await http.post("/groups/large/keys:batchGet", json={"keys": ["1"]})
    assert response.status_code == 200
    assert len(response.content) > 3_000_000

"""More connections than a node may have."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from fakes import FakeSource, scores_source
from http2.frame_writer import HELLO

from cache_core import Client, Group, GroupSettings, Node, PeerUnavailable
from cache_core.address import Address

MOST = 20


@asynccontextmanager
async def opened(address: str, said: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """A connection on which the node has said its first words."""
    reader, writer = await asyncio.open_connection(*Address.parse(address))
    try:
        writer.write(said)
        await reader.readexactly(9)
        yield reader
    finally:
        writer.close()


@pytest.mark.parametrize("said", [b"", HELLO], ids=["silent", "idle"])
async def test_connections_that_ask_nothing_shut_nobody_out(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    groups = [Group("scores", scores_source())]
    async with (
        Node("127.0.0.1:0", groups, grace=5, max_connections=MOST) as node,
        AsyncExitStack() as stack,
    ):
        idle = [await stack.enter_async_context(opened(node.address, said)) for _ in range(MOST)]
        for _ in range(3):
            async with Client(node.address) as client:
                assert (await client.get("scores", "Tom")).data == b"630"
        await idle[0].read()
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert ["max_connections" in record.getMessage() for record in warned] == [True]


async def test_where_calls_run_on_all_a_new_one_is_refused(source: FakeSource) -> None:
    source.gate.clear()
    source.values |= {f"{number}": b"1" for number in range(MOST)}
    groups = [Group("scores", source, GroupSettings(load_concurrency=MOST))]
    async with (
        Node("127.0.0.1:0", groups, grace=5, max_connections=MOST) as node,
        AsyncExitStack() as stack,
    ):
        clients = [await stack.enter_async_context(Client(node.address)) for _ in range(MOST + 1)]
        gets = [
            asyncio.ensure_future(client.get("scores", f"{number}"))
            for number, client in enumerate(clients[:MOST])
        ]
        while len(source.lookups) < MOST:
            source.asked.clear()
            await source.asked.wait()
        with pytest.raises(PeerUnavailable):
            await clients[MOST].get("scores", "Tom")
        source.gate.set()
        assert {value.data for value in await asyncio.gather(*gets)} == {b"1"}

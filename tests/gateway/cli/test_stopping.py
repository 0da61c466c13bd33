"""How a node that a supervisor started ends: with a drain, unless all ends."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
from fakes import FakeSource
from processes import Serving, Start

from cache_core import Group, Node
from cache_core.address import Address
from gateway.cli.processes.listening import free_addresses


@pytest.fixture
async def supervised(start: Start, source: FakeSource) -> AsyncIterator[Serving]:
    """One of two nodes, which goes on serving for a day once it has left its cluster."""
    other, name = map(str, free_addresses(Address("127.0.0.1", 0), 2))
    peers = f"static://{other},{name}"
    async with Node(other, [Group("scores", source)], peers=peers, drain=0):
        options = ("--listen", name, "--peers", peers, "--drain", "86400", "--log-level", "info")
        serving = await start("node", "--supervised", *options, stdin=asyncio.subprocess.PIPE)
        await serving.until(f"{name}\n")
        yield serving
        await serving.stop(signal.SIGKILL)


def close_input(serving: Serving) -> None:
    assert serving.process.stdin is not None
    serving.process.stdin.close()


async def until_it_drains(serving: Serving) -> None:
    assert serving.process.stderr is not None
    while b" is draining" not in await serving.process.stderr.readline():
        assert not serving.process.stderr.at_eof()


@pytest.mark.slow
async def test_it_does_not_drain_where_its_supervisor_ends_all(supervised: Serving) -> None:
    close_input(supervised)
    assert (await supervised.end()).status == 0


@pytest.mark.slow
async def test_its_drain_is_cut_short_where_its_supervisor_ends_all(supervised: Serving) -> None:
    supervised.process.send_signal(signal.SIGTERM)
    await until_it_drains(supervised)
    close_input(supervised)
    assert (await supervised.end()).status == 0

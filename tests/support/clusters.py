"""Real nodes in this process that are one cluster."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fakes import FakeSource

from cache_core import Group, Node
from cache_core.address import Address
from cache_core.events import Event
from cache_core.messages import Health
from gateway.cli.processes.listening import free_addresses


@asynccontextmanager
async def cluster_of(count: int, source: FakeSource) -> AsyncIterator[list[Node]]:
    """Start nodes that share the group `scores` over `source`, and wait until all see all."""
    happened = asyncio.Event()

    def hook(_event: Event) -> None:
        happened.set()

    names = [str(address) for address in free_addresses(Address("127.0.0.1", 0), count)]
    nodes = [
        Node(name, [Group("scores", source)], peers=peers_of(names), hook=hook) for name in names
    ]
    async with AsyncExitStack() as started:
        for node in nodes:
            await node.start()
            started.push_async_callback(node.stop, drain=False)
        async with asyncio.timeout(20):
            while not all(_sees_all(node, count) for node in nodes):
                happened.clear()
                await happened.wait()
        yield nodes


def peers_of(names: list[str]) -> str:
    """What a node or client is told of these members."""
    return f"static://{','.join(names)}"


def _sees_all(node: Node, count: int) -> bool:
    members = node.info().members
    return len(members) == count and all(member.health is Health.UP for member in members)

"""Three nodes without sockets, over one source."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from fakes import FakeSource
from in_process import Roster, Wires

from cache_core import Group, GroupSettings
from cache_core.messages import Health, Removal, RemoveEverywhere
from cache_core.node.participant import Participant
from cache_core.value import Demand, Value

NODES = ("a:1", "b:1", "c:1")


async def get(
    node: Participant, key: str, *, forwarded: bool = False, demand: Demand = Demand.ANY
) -> Value:
    value = node.peek("g", key, forwarded=forwarded, demand=demand)
    if value is not None:
        return value
    return await node.get("g", key, forwarded=forwarded, demand=demand)


async def remove(
    node: Participant, key: str | None = None, timeout: float | None = None
) -> tuple[str, ...]:
    """Have `node` remove `key` of `g` everywhere, or all of it; return who was not reached."""
    return await node.receive(RemoveEverywhere(Removal("g", key), timeout))


def key_of(owner: str, nodes: dict[str, Participant], number: int = 0) -> str:
    """Return a key that `owner` owns."""
    peers = nodes[owner].peers
    keys = (key for key in map(str, range(10_000)) if peers.owner(key) == owner)
    return [next(keys) for _ in range(number + 1)][number]


class Cluster:
    """Three nodes over one source, each with a group `g` of its own."""

    def __init__(self, **settings: object) -> None:
        self.wires = Wires()
        self.roster = Roster(*NODES)
        self.source = FakeSource({str(key): str(key).encode() for key in range(10_000)})
        self.settings = GroupSettings.model_validate(settings)

    async def start(self, name: str) -> Participant:
        clock = asyncio.get_running_loop().time
        node = self.wires.add(name, [Group("g", self.source, self.settings, clock=clock)])
        node.open(self.roster.watch())
        await node.take_own()
        node.is_ready = True
        node.announce()
        return node

    @property
    def nodes(self) -> dict[str, Participant]:
        return self.wires.nodes

    async def settle(self, name: str, health: Health, *, seen_by: str) -> None:
        """Wait until a node makes that of another."""
        await self.wires.until(lambda: self.nodes[seen_by].peers.health(name) is health)


@asynccontextmanager
async def trio(**settings: object) -> AsyncIterator[Cluster]:
    """Three nodes whose group `g` has these settings, each of which sees the others."""
    cluster = Cluster(**settings)
    try:
        await asyncio.gather(*map(cluster.start, NODES))
        for name in NODES:
            for other in NODES:
                await cluster.settle(name, Health.UP, seen_by=other)
        yield cluster
    finally:
        for node in cluster.nodes.values():
            await node.aclose()
            for shared in node.groups.values():
                await shared.group.aclose()


Make: TypeAlias = Callable[..., Awaitable[Cluster]]
"""Start three nodes whose group `g` has these settings, and wait until each sees the others."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from trio_in_process import NODES, Cluster, Make

from cache_core.messages import Health


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[Cluster] = []

    async def start(**settings: object) -> Cluster:
        cluster = Cluster(**settings)
        made.append(cluster)
        await asyncio.gather(*map(cluster.start, NODES))
        for name in NODES:
            for other in NODES:
                await cluster.settle(name, Health.UP, seen_by=other)
        return cluster

    yield start
    for cluster in made:
        for node in cluster.nodes.values():
            await node.aclose()

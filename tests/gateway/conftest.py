from collections.abc import AsyncIterator

import httpx
import pytest
from fakes import FakeSource
from node_cluster import cluster_of, peers_of
from processes import GatewayAt

from cache_core import Node


@pytest.fixture
async def trio(source: FakeSource) -> AsyncIterator[list[Node]]:
    """Three nodes of one cluster that share the group `scores` over `source`."""
    async with cluster_of(3, source) as nodes:
        yield nodes


@pytest.fixture
async def trio_http(trio: list[Node], gateway_at: GatewayAt) -> AsyncIterator[httpx.AsyncClient]:
    """In front of `trio`."""
    url = await gateway_at(peers_of([node.address for node in trio]))
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
async def http(gateway_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """In front of one node."""
    async with httpx.AsyncClient(base_url=gateway_url, trust_env=False, timeout=20) as client:
        yield client

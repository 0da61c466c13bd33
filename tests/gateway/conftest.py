"""Gateways to ask, and clients: those load no CAs (`verify=False`), which takes 40 ms each."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from clusters import cluster_of, peers_of
from fakes import FakeSource, scores_source
from processes import GatewayAt
from served_gateway import serve_gateway

from cache_core import Group, Node


@pytest.fixture
async def trio(source: FakeSource) -> AsyncIterator[list[Node]]:
    """Three nodes of one cluster that share the group `scores` over `source`."""
    async with cluster_of(3, source) as nodes:
        yield nodes


@pytest.fixture
async def trio_http(trio: list[Node], gateway_at: GatewayAt) -> AsyncIterator[httpx.AsyncClient]:
    """In front of `trio`."""
    url = await gateway_at(peers_of([node.address for node in trio]))
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=20) as client:
        yield client


@pytest.fixture
async def http(gateway_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """In front of one node."""
    async with httpx.AsyncClient(
        base_url=gateway_url, trust_env=False, verify=False, timeout=20
    ) as client:
        yield client


@pytest.fixture(scope="module")
def shared_source() -> FakeSource:
    """The source of what the tests of a module share."""
    return scores_source()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_url(shared_source: FakeSource) -> AsyncIterator[str]:
    """A gateway in front of a node, for all tests of a module that leave both as they were.

    Those are marked `asyncio(loop_scope="module")`. A node and a gateway of their own cost each
    test a tenth of a second.
    """
    async with (
        Node("127.0.0.1:0", [Group("scores", shared_source)], grace=5) as node,
        serve_gateway(node.address) as url,
    ):
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_http(shared_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """In front of what the tests of a module share."""
    async with httpx.AsyncClient(
        base_url=shared_url, trust_env=False, verify=False, timeout=20
    ) as client:
        yield client

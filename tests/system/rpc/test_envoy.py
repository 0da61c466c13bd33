"""A node behind Envoy, asked by grpcio."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeAlias, cast

import grpc
import grpc.aio
import pytest
from cluster.fleet import free_addresses
from fakes import FakeSource
from proxies.envoy import envoy

from cache_core import Node
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.channel import GET
from cache_core.rpc.wire.limits import MAX_VALUE_BYTES

pytestmark = pytest.mark.service

TOM = GetRequest(group="scores", key="Tom")
SCORE = GetResponse(value=b"630")

Get: TypeAlias = grpc.aio.UnaryUnaryMultiCallable[GetRequest, GetResponse]


@pytest.fixture
async def get(node: Node, tmp_path: Path) -> AsyncIterator[Get]:
    """Get by way of an Envoy."""
    (address,) = free_addresses(1)
    options = [("grpc.max_receive_message_length", -1)]
    async with (
        envoy(tmp_path, node.address, address),
        grpc.aio.insecure_channel(address, options) as channel,
    ):
        async with asyncio.timeout(10):
            await channel.channel_ready()
        yield channel.unary_unary(GET, GetRequest.SerializeToString, GetResponse.FromString)


async def test_it_passes_calls_on_and_their_errors(
    get: Get,
) -> None:
    assert await get(TOM, timeout=10) == SCORE
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await get(GetRequest(group="scores", key="no"), timeout=10)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "no not exist"
    trailers = dict(cast("Any", caught.value.trailing_metadata()))
    assert "grpc-status-details-bin" in trailers


async def test_it_passes_200_calls_on_at_once(
    get: Get,
) -> None:
    answers = await asyncio.gather(*(get(TOM, timeout=10) for _ in range(200)))
    assert answers == [SCORE] * 200


async def test_it_passes_8_kib_of_metadata_on(
    get: Get,
) -> None:
    metadata = tuple((f"x-{number}", "v" * 1024) for number in range(8))
    for _ in range(3):  # Envoy may write what it has sent before in another way
        assert await get(TOM, metadata=metadata, timeout=10) == SCORE


async def test_it_passes_the_largest_value_on(get: Get, source: FakeSource) -> None:
    source.values["large"] = bytes(MAX_VALUE_BYTES)
    answers = await asyncio.gather(
        *(get(GetRequest(group="scores", key="large"), timeout=20) for _ in range(3))
    )
    assert answers == [GetResponse(value=bytes(MAX_VALUE_BYTES))] * 3

"""A node asked by grpcio's client with threads, whose calls block."""

import asyncio
from collections.abc import Iterator
from typing import cast

import grpc
import pytest
from fakes import ALL_BYTES, FakeSource
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from cache_core import Node
from cache_core.pb.cluster_pb2 import BatchGetRequest
from cache_core.pb.cluster_pb2_grpc import ClusterStub
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.pb.gaocache_pb2_grpc import GaocacheStub

TIMEOUT = 20
"""More seconds than any call here takes."""

pytestmark = pytest.mark.service


@pytest.fixture
def channel(node: Node) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(node.address) as opened:
        yield opened


async def get(
    channel: grpc.Channel,
    key: str,
    *,
    timeout: float = TIMEOUT,
    metadata: tuple[tuple[str, str], ...] = (),
    compression: grpc.Compression | None = None,
) -> bytes:
    """Return what a Get in another thread is answered."""
    response = await asyncio.to_thread(
        GaocacheStub(channel).Get,
        GetRequest(group="scores", key=key),
        timeout=timeout,
        metadata=metadata,
        compression=compression,
    )
    return response.value


@pytest.mark.parametrize(
    ("key", "value"), [("Tom", b"630"), ("empty", b""), ("binary", ALL_BYTES), ("ä", "Ä".encode())]
)
async def test_it_gets_a_value(channel: grpc.Channel, key: str, value: bytes) -> None:
    assert await get(channel, key) == value


async def test_it_gets_values_in_many_threads(channel: grpc.Channel) -> None:
    answers = await asyncio.gather(*(get(channel, "Tom") for _ in range(300)))
    assert answers == [b"630"] * 300


@pytest.mark.parametrize(
    ("group", "key", "code", "words", "reason"),
    [
        ("scores", "no", grpc.StatusCode.NOT_FOUND, "no not exist", "key-not-found"),
        ("other", "Tom", grpc.StatusCode.NOT_FOUND, "group not found", "unknown-group"),
        ("scores", "", grpc.StatusCode.INVALID_ARGUMENT, "key required", "key-required"),
        ("scores", "nö", grpc.StatusCode.NOT_FOUND, "nö not exist", "key-not-found"),
    ],
)
async def test_an_error_has_its_code_its_words_and_its_details(
    channel: grpc.Channel, group: str, key: str, code: grpc.StatusCode, words: str, reason: str
) -> None:
    request = GetRequest(group=group, key=key)
    with pytest.raises(grpc.RpcError) as caught:
        await asyncio.to_thread(GaocacheStub(channel).Get, request, timeout=TIMEOUT)
    call = cast("grpc.Call", caught.value)
    assert (call.code(), call.details()) == (code, words)
    encoded = dict(call.trailing_metadata())["grpc-status-details-bin"]
    assert isinstance(encoded, bytes)
    status, info = Status.FromString(encoded), ErrorInfo()
    assert (status.code, status.message) == (code.value[0], words)
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason) == ("gaocache", reason)


async def test_it_reads_a_stream_of_answers_to_its_end(channel: grpc.Channel) -> None:
    keys = ["Tom", "no", "binary", "Sam"]

    def read() -> tuple[dict[str, bytes], list[str]]:
        request = BatchGetRequest(keys=keys, groups=["scores"])
        values: dict[str, bytes] = {}
        failed: list[str] = []
        for answer in ClusterStub(channel).BatchGet(request, timeout=TIMEOUT):
            values.update(zip((keys[place] for place in answer.places), answer.data, strict=True))
            failed += [keys[failure.place] for failure in answer.failures]
        return values, failed

    values, failed = await asyncio.to_thread(read)
    assert values == {"Tom": b"630", "binary": ALL_BYTES, "Sam": b"567"}
    assert failed == ["no"]


async def test_a_watch_of_the_health_hears_of_the_stop(channel: grpc.Channel, node: Node) -> None:
    heard = HealthStub(channel).Watch(HealthCheckRequest(), timeout=TIMEOUT)
    first = await asyncio.to_thread(next, heard)
    assert first.status == HealthCheckResponse.SERVING
    await node.stop()
    second = await asyncio.to_thread(next, heard)
    assert second.status == HealthCheckResponse.NOT_SERVING


async def test_a_watch_that_it_gives_up_harms_no_other_call(channel: grpc.Channel) -> None:
    heard = HealthStub(channel).Watch(HealthCheckRequest(), timeout=TIMEOUT)
    await asyncio.to_thread(next, heard)
    heard.cancel()
    assert await get(channel, "Tom") == b"630"


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_it_may_pack_its_requests(
    channel: grpc.Channel, compression: grpc.Compression
) -> None:
    # One that would not become shorter is sent as it is.
    for key, value in (("k" * 1024, b"long"), ("Tom", b"630")):
        assert await get(channel, key, compression=compression) == value


@pytest.mark.parametrize("count", [1, 8])
async def test_it_may_send_8_kib_of_metadata(channel: grpc.Channel, count: int) -> None:
    metadata = tuple((f"x-{number}", "v" * (8192 // count)) for number in range(count))
    for _ in range(3):
        assert await get(channel, "Tom", metadata=metadata) == b"630"


async def test_its_deadline_ends_the_call_and_the_look_up(
    channel: grpc.Channel, source: FakeSource
) -> None:
    await get(channel, "Jack")
    source.gate.clear()
    with pytest.raises(grpc.RpcError) as caught:
        await get(channel, "Tom", timeout=0.5)
    assert cast("grpc.Call", caught.value).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(10):
        await source.left.wait()
    assert source.cancelled == ["Tom"]

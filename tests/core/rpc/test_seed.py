"""The tutorial's client, as any generic gRPC client would stand in for it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from fakes import ALL_BYTES, scores_source

from cache_core import Group, Node
from cache_core.rpc.engine import GrpcEngine

pytestmark = [pytest.mark.usefixtures("engine"), pytest.mark.asyncio(loop_scope="module")]

SERVICES = ["gaocachepb.PeanutCache", "gaocachepb.Gaocache"]
BUF = Path(sys.executable).with_name("buf")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(engine: GrpcEngine) -> AsyncIterator[Node]:
    """A node for all tests here, which only ask it."""
    group = Group("scores", scores_source())
    async with Node("127.0.0.1:0", [group], grace=5, grpc_engine=engine) as serving:
        yield serving


def field(number: int, text: str | bytes) -> bytes:
    """A length-delimited protobuf field, for strings and bytes below 2 MiB."""
    data = text.encode() if isinstance(text, str) else text
    size, prefix = len(data), bytearray()
    while size > 0x7F:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *prefix, size]) + data


async def call(node: Node, service: str, group: str, key: str) -> bytes:
    """Call Get with hand-made bytes: no generated code, no client of ours."""
    async with grpc.aio.insecure_channel(node.address) as channel:
        get = channel.unary_unary(f"/{service}/Get", bytes, bytes)
        response: bytes = await get(field(1, group) + field(2, key), timeout=10)
        return response


@pytest.mark.parametrize("service", SERVICES)
async def test_the_scores_come_in_the_tutorials_order(node: Node, service: str) -> None:
    answers = [await call(node, service, "scores", key) for key in ("Tom", "Jack", "Sam", "Alice")]
    assert answers == [field(1, score) for score in ("630", "589", "567", "788")]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("group", "key", "code", "words"),
    [
        ("scores", "NotExist", grpc.StatusCode.NOT_FOUND, "NotExist not exist"),
        ("none", "Tom", grpc.StatusCode.NOT_FOUND, "group not found"),
        ("", "Tom", grpc.StatusCode.NOT_FOUND, "group not found"),
        ("scores", "", grpc.StatusCode.INVALID_ARGUMENT, "key required"),
        ("none", "", grpc.StatusCode.INVALID_ARGUMENT, "key required"),
    ],
)
async def test_failures_have_the_tutorials_words(
    node: Node, service: str, group: str, key: str, code: grpc.StatusCode, words: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(node, service, group, key)
    assert caught.value.code() is code
    assert caught.value.details() == words


@pytest.mark.parametrize("key", ["k" * 1024, "é" * 512, "a/b", "ä", "a b", "a+b", ".."])
async def test_keys_are_opaque(node: Node, key: str) -> None:
    assert await call(node, SERVICES[0], "scores", key) == field(1, scores_source().values[key])


async def test_a_value_of_all_bytes_and_an_empty_one(node: Node) -> None:
    assert await call(node, SERVICES[0], "scores", "binary") == field(1, ALL_BYTES)
    assert await call(node, SERVICES[0], "scores", "empty") == b""


@pytest.mark.parametrize("key", ["\0" * 1024, "è" * 512, "\U0001f600" * 256])
async def test_a_long_missing_key_is_still_not_found(node: Node, key: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(node, SERVICES[0], "scores", key)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    words = caught.value.details() or ""
    assert words.endswith("…")
    assert key.startswith(words[:-1])


async def test_bytes_that_are_no_request_are_refused(node: Node) -> None:
    async with grpc.aio.insecure_channel(node.address) as channel:
        get = channel.unary_unary(f"/{SERVICES[0]}/Get", bytes, bytes)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await get(b"\xff\xff", timeout=10)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("service", SERVICES)
async def test_buf_curl_finds_its_way_by_reflection(node: Node, service: str) -> None:
    process = await asyncio.create_subprocess_exec(
        BUF,
        "curl",
        *("--http2-prior-knowledge", "--protocol", "grpc"),
        *("--data", '{"group":"scores","key":"Tom"}'),
        f"http://{node.address}/{service}/Get",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    assert json.loads(stdout) == {"value": "NjMw"}

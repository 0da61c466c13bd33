"""What a client makes of gRPC servers that are no nodes of ours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeAlias

import grpc
import grpc.aio
import pytest
from fake_participant import channel_to

from cache_core import Client, PeerUnavailable, UnexpectedStatus
from cache_core.address import Address
from cache_core.client.client import DEFAULT_TIMEOUT
from cache_core.messages import Describe, Message, Probe
from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.calls import CLUSTER, GET_SERVICES

pytestmark = pytest.mark.usefixtures("channel")

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Method: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"


def unary(handler: Callable[[bytes, Context], Awaitable[bytes]]) -> Method:
    return grpc.unary_unary_rpc_method_handler(handler)


def saying(said: bytes) -> Method:
    """A method that answers all the same."""

    async def answer(_request: bytes, _context: Context) -> bytes:
        return said

    return unary(answer)


@asynccontextmanager
async def stranger(**methods: Method) -> AsyncIterator[Address]:
    """A server that has these methods, whatever the service is, and its address."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        tuple(
            grpc.method_handlers_generic_handler(service, methods)
            for service in (*GET_SERVICES, CLUSTER)
        )
    )
    address = Address("127.0.0.1", server.add_insecure_port("127.0.0.1:0"))
    await server.start()
    try:
        yield address
    finally:
        await server.stop(None)


async def test_the_default_deadline_is_the_tutorials_second() -> None:
    seconds: list[float] = []

    async def remaining(_request: bytes, context: Context) -> bytes:
        seconds.append(context.time_remaining())
        return b""

    async with stranger(Get=unary(remaining)) as address, Client(str(address)) as client:
        await client.get("g", "k")
    assert DEFAULT_TIMEOUT == 1.0
    assert 0 < seconds[0] < DEFAULT_TIMEOUT + 0.01


@pytest.mark.parametrize("code", ["UNKNOWN", "PERMISSION_DENIED", "UNIMPLEMENTED", "ABORTED"])
async def test_a_strangers_status_keeps_its_name_and_words(code: str) -> None:
    async def refuse_all(_request: bytes, context: Context) -> bytes:
        await context.abort(grpc.StatusCode[code], "some words")

    async with stranger(Get=unary(refuse_all)) as address, Client(str(address)) as client:
        with pytest.raises(UnexpectedStatus, match="some words") as caught:
            await client.get("g", "k")
    assert caught.value.status == code


async def test_an_answer_that_is_no_get_response_is_an_unexpected_status() -> None:
    babbler = stranger(Get=saying(b"\xff\xff"))
    async with babbler as address, Client(str(address), timeout=10) as client:
        with pytest.raises(UnexpectedStatus, match="the answer is no GetResponse") as caught:
            await client.get("g", "k")
    assert caught.value.status == "INTERNAL"
    assert caught.value.node == str(address)


@pytest.mark.parametrize(
    ("message", "said", "kind"),
    [
        (Probe(None, 0), b"\xff\xff", "ProbeResponse"),
        (Describe(), b"\x2a\x06\x0a\x01g\x12\x01\x08", "DescribeResponse"),
        # a group with a policy that this version doesn't know
        (Describe(), b"\x2a\x0a\x0a\x01g\x12\x05\x12\x03new", "DescribeResponse"),
    ],
)
async def test_an_answer_that_is_none_is_an_unexpected_status(
    message: Message[Any], said: bytes, kind: str
) -> None:
    babbler = stranger(Probe=saying(said), Describe=saying(said))
    async with babbler as address, channel_to(address) as channel:
        with pytest.raises(UnexpectedStatus, match=f"the answer is no {kind}") as caught:
            await channel.send(message, timeout=30)
    assert caught.value.node == str(address)


@pytest.mark.parametrize(
    ("silence", "breaks", "words"), [(30, True, "can't be reached"), (0.05, False, "is silent")]
)
async def test_a_stream_that_breaks_or_falls_silent_is_unavailable(
    silence: float, words: str, *, breaks: bool
) -> None:
    async def watch(_request: bytes, context: Context) -> None:
        notice = pb.Notice(watcher="w", sequence=1, silence=silence)
        await context.write(notice.SerializeToString())
        if breaks:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")
        await asyncio.Event().wait()

    broken = stranger(Watch=grpc.unary_stream_rpc_method_handler(watch))
    async with (
        broken as address,
        channel_to(address) as channel,
        aclosing(channel.watch()) as notices,
    ):
        assert (await anext(notices)).watcher == "w"
        with pytest.raises(PeerUnavailable, match=words) as caught:
            async with asyncio.timeout(10):
                await anext(notices)
        assert caught.value.node == str(address)

"""Conversations over HTTP/2 as they went over the wire."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple, TypeAlias

import grpc
import pytest
from fake_participant import FakeParticipant
from http2.ends import ClientEnd, ServerEnd

from cache_core import Value
from cache_core.address import Address
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.rpc.channel import GET
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import ErrorCode
from cache_core.rpc.service import Service
from cache_core.rpc.transport.node.server import Server

ASKED: Final = 4
"""How many calls a client makes at the most."""

WINDOW: Final = 1_000
"""How many bytes of our own calls may be under way."""

LARGEST: Final = 10_240
"""More bytes than any answer has."""


class Recording(NamedTuple):
    """What each end heard, from the first byte to the last."""

    to_server: bytes
    to_client: bytes


def our_recording() -> Recording:
    """Record our client with our server: calls side by side, one given up, two in many frames."""
    client = ClientEnd(Bounds(streams=0, window=WINDOW), greeting=False, asks=0)
    server = ServerEnd(Bounds(window=WINDOW), hello=False)
    server.heard.asked = lambda stream: server.answer(stream, bytes(stream.number * 500))
    to_server, to_client = bytearray(), bytearray()

    def exchange() -> None:
        while True:
            asked = client.connection.outlet.take()
            server.connection.receive(asked)
            answered = server.connection.outlet.take()
            client.connection.receive(answered)
            to_server.extend(asked)
            to_client.extend(answered)
            if not asked and not answered:
                return

    exchange()
    for body in (b"small", bytes(3 * WINDOW)):
        client.ask(body)
    exchange()
    given_up = client.ask(b"half", end=False)
    exchange()
    client.connection.reset(given_up, ErrorCode.CANCEL)
    client.connection.ping(b"eight by")
    server.connection.ping(b"eight by")
    client.ask()
    server.connection.goaway()
    exchange()
    return Recording(bytes(to_server), bytes(to_client))


async def grpcio_recording() -> Recording:
    """Record grpcio's client with our server."""
    server = Server(Address("127.0.0.1", 0))
    address = server.bind()
    held = {"small": Value(b"x"), "large": Value(bytes(10_000))}
    await server.start(Service(FakeParticipant(held)))
    heard: list[bytearray] = [bytearray(), bytearray()]
    passing: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*address)
        ways = ((reader, far_writer, heard[0]), (far_reader, writer, heard[1]))
        passing.update(asyncio.create_task(_passed_on(*way)) for way in ways)

    proxy = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(GET, _as_it_is, _as_it_is)
        for key in ("small", "large", ""):
            message = GetRequest(group="g", key=key).SerializeToString()
            try:
                await call(message, timeout=10, metadata=(("trace", key),))
            except grpc.aio.AioRpcError as error:
                assert not key, error  # noqa: PT017 - one of them is refused
    proxy.close()
    await server.stop(1)
    await asyncio.gather(*passing)
    return Recording(bytes(heard[0]), bytes(heard[1]))


async def _our_recording() -> Recording:
    return our_recording()


Recorder: TypeAlias = Callable[[], Coroutine[Any, Any, Recording]]

RECORDERS: Final = (
    pytest.param(_our_recording, id="our client"),
    pytest.param(grpcio_recording, id="grpcio's client"),
)


def _as_it_is(message: bytes) -> bytes:
    return message


async def _passed_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: bytearray
) -> None:
    while data := await reader.read(65_536):
        heard += data
        writer.write(data)
    writer.close()

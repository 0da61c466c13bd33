"""A client that reads slowly, spoken for in HTTP/2's own frames (RFC 9113)."""

import asyncio
from collections.abc import Iterator
from itertools import chain

import pytest
from fake_participant import FakeParticipant

from cache_core import Value
from cache_core.address import Address
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.channel import GET
from cache_core.rpc.engine import GrpcEngine
from cache_core.rpc.engine_choice import choose_engine
from cache_core.rpc.service import Service

pytestmark = pytest.mark.usefixtures("engine")

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
WINDOW = 65_535
"""How many bytes a server may send before it is told that they were read."""

FIELDS = {
    ":method": "POST",
    ":scheme": "http",
    ":path": GET,
    ":authority": "n",
    "te": "trailers",
    "content-type": "application/grpc",
}


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    size = len(payload).to_bytes(3, "big")
    return size + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def whole(message: bytes) -> bytes:
    """Return `message` as gRPC frames it."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def request(group: str, key: str) -> Iterator[bytes]:
    fields = chain.from_iterable(FIELDS.items())
    names_and_values = [literal(text) for text in fields]
    pairs = zip(names_and_values[::2], names_and_values[1::2], strict=True)
    block = b"".join(b"\0" + name + value for name, value in pairs)
    yield PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0)
    yield frame(HEADERS, END_HEADERS, 1, block)
    message = GetRequest(group=group, key=key).SerializeToString()
    yield frame(DATA, END_STREAM, 1, whole(message))


async def read_data(reader: asyncio.StreamReader, size: int) -> bytes:
    """Return at least `size` bytes of the answer's message."""
    data = b""
    while len(data) < size:
        head = await reader.readexactly(9)
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        if head[3] == DATA:
            data += payload
    return data


async def test_a_stop_waits_a_moment_for_who_still_reads_an_answer() -> None:
    value = Value(bytes(range(256)) * 400)
    answer = whole(GetResponse(value=value.data).SerializeToString())
    server = choose_engine(GrpcEngine.AUTO)(Address("127.0.0.1", 0))
    address = server.bind()
    await server.start(Service(FakeParticipant({"k": value})))
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.writelines(request("g", "k"))
    data = await read_data(reader, WINDOW)
    stopping = asyncio.create_task(server.stop(5))
    await asyncio.wait([stopping], timeout=0.1)
    assert not stopping.done()
    more = len(answer).to_bytes(4, "big")
    writer.writelines(frame(WINDOW_UPDATE, 0, stream, more) for stream in (0, 1))
    data += await read_data(reader, len(answer) - len(data))
    assert data == answer
    writer.close()
    await stopping

"""A node's end, and a client's that opens its windows or keeps them shut, and reads nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fake_participant import FakeParticipant
from http2.frame_writer import HELLO, data, headers, settings, window_update
from line import LineEnd
from virtual_time import after

from cache_core import Value
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.rpc.channel import GET
from cache_core.rpc.engine import ConnectionBounds
from cache_core.rpc.grpc.messages import prefixed
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import DEFAULT_WINDOW, GREATEST_WINDOW, Setting
from cache_core.rpc.service import Service
from cache_core.rpc.transport.node.introspection import Health
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.node.server_protocol import ServerProtocol

HELD: Final = 500_000
"""How many bytes a connection may hold in these tests."""

SIZE: Final = 200_000
"""The bytes of each value."""

MANY: Final = 60
"""How many values there are: some messages full."""

WIDE: Final = settings({Setting.INITIAL_WINDOW_SIZE: GREATEST_WINDOW}) + window_update(
    0, GREATEST_WINDOW - DEFAULT_WINDOW
)
SHUT: Final = settings({Setting.INITIAL_WINDOW_SIZE: 0})


class Taking(asyncio.Protocol):
    """Keeps what it takes."""

    def __init__(self) -> None:
        self.taken = b""

    def data_received(self, data: bytes) -> None:
        self.taken += data


class Unread:
    """A node's end, and that of a client which takes nothing while it is frozen.

    Keys that begin with `m` are loaded, each time anew.
    """

    def __init__(self) -> None:
        self.participant = FakeParticipant(
            {**{f"{number}": Value(bytes(SIZE)) for number in range(MANY)}, "later": Value(b"1")},
            {f"m{number}": Value(b"%3d" % number + bytes(SIZE)) for number in range(MANY)},
        )
        self.node = NodeCalls(
            Service(self.participant), Health(), ConnectionBounds(connection=HELD)
        )
        self.server = ServerProtocol(self.node, Bounds(), set())
        self.protocol = Taking()
        self.at_server = LineEnd(self.server)
        self.client = LineEnd(self.protocol)

    @property
    def keys(self) -> list[str]:
        """The keys that the node was asked for."""
        return [key for key, _, _ in self.participant.asked]


@asynccontextmanager
async def unread(hello: bytes) -> AsyncIterator[Unread]:
    """A client that says `hello`, and is frozen then."""
    ends = Unread()
    ends.client.join(ends.at_server)
    ends.client.write(HELLO + hello)
    await after(0.01)
    ends.client.freeze()
    try:
        yield ends
    finally:
        ends.client.thaw()
        ends.client.abort()
        await after(0.01)
    assert ends.node.tasks == {}


def asked(stream: int, path: str, message: bytes, *, end: bool = True) -> bytes:
    """Return a call as it travels."""
    head = headers(stream, request_block(path, "n", ()), end=False)
    return head + data(stream, prefixed(message), end=end)


def get(stream: int, key: str) -> bytes:
    """Return what asks for `key` on `stream`."""
    return asked(stream, GET, GetRequest(group="g", key=key).SerializeToString())

"""A server of gRPC that does with each call what a test says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias, cast

from grpc_ends import METHODS, FakeHandler, FakeMethod

from cache_core.address import Address
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.server_session import ServerSession
from cache_core.rpc.grpc.turns import Turns
from cache_core.rpc.http2.bounds import Bounds

SERVED: Final = {
    **METHODS,
    b"/gaocachepb.Gaocache/Get": FakeMethod(False),
    b"/gaocache.cluster.v1.Cluster/Probe": FakeMethod(False),
    b"/gaocache.cluster.v1.Cluster/HandOver": FakeMethod(False),
}

Then: TypeAlias = Callable[["OddConnection", ServerCall, bytes], None]


class OddConnection(asyncio.Protocol):
    """One connection to an OddNode."""

    transport: asyncio.Transport

    def __init__(self, node: "OddNode") -> None:
        self._node = node
        loop = asyncio.get_running_loop()
        handler = FakeHandler()
        handler.then = self._called
        self.handler = handler
        self.session = ServerSession(
            SERVED,
            handler,
            bounds=node.bounds,
            max_message=1 << 24,
            max_held=1 << 24,
            turns=Turns(loop.call_soon),
            clock=loop.time,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are it by shape alone
        self._node.connections.append(self)
        self.session.connection.begin()
        self.flush()

    def data_received(self, data: bytes) -> None:
        self.session.connection.receive(data)
        self.session.backlog.go_on()
        self.flush()

    def connection_lost(self, _: Exception | None) -> None:
        self._node.left.put_nowait(self)

    def flush(self) -> None:
        """Send what there is to say."""
        outlet = self.session.connection.outlet
        self.transport.write(outlet.take())
        outlet.unwritten = 0

    def _called(self, call: ServerCall, message: bytes) -> None:
        self._node.calls.put_nowait((self, call))
        self._node.messages.append(message)
        self._node.then(self, call, message)


class OddNode:
    """What a test lets happen: `then` is done with each call of a method that is SERVED."""

    def __init__(self, then: Then, bounds: Bounds) -> None:
        self.then = then
        self.bounds = bounds
        self.address = Address("127.0.0.1", 0)
        self.connections: list[OddConnection] = []
        self.left: asyncio.Queue[OddConnection] = asyncio.Queue()
        self.calls: asyncio.Queue[tuple[OddConnection, ServerCall]] = asyncio.Queue()
        self.messages: list[bytes] = []


def echo(connection: OddConnection, call: ServerCall, message: bytes) -> None:
    """Answer a call with its message."""
    connection.session.answer(call, message)


def nothing(connection: OddConnection, call: ServerCall, message: bytes) -> None:
    """Leave a call as it is."""


@asynccontextmanager
async def odd_node(then: Then = echo, bounds: Bounds | None = None) -> AsyncIterator[OddNode]:
    """Serve an OddNode on a free port."""
    node = OddNode(then, bounds or Bounds())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: OddConnection(node), "127.0.0.1", 0)
    node.address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield node
    finally:
        server.close()
        for connection in node.connections:
            connection.transport.abort()

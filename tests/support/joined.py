"""A node's connection and a client's, joined without sockets; for virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

from fake_participant import FakeParticipant
from grpc_ends import FakeCaller
from grpc_health.v1.health_pb2 import HealthCheckRequest
from line import LineEnd
from virtual_time import after

from cache_core import Value
from cache_core.pb.cluster_pb2 import WatchRequest
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.rpc.channel import CLUSTER, GET
from cache_core.rpc.grpc.client_call import ClientCall
from cache_core.rpc.grpc.requests import request_block, timed
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.service import Service
from cache_core.rpc.transport.client_protocol import ClientProtocol
from cache_core.rpc.transport.node.introspection import HEALTH, Health
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.node.server_protocol import ServerProtocol


class Lines:
    """A node's end and a client's, joined; `participant` answers."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.participant = FakeParticipant(
            {"held": Value(b"630"), "large": Value(bytes(100_000))},
            {"slow": Value(b"1"), "k" * 40_000: Value(b"2")},
        )
        self.participant.gates["slow"] = asyncio.Event()
        self.node = NodeCalls(Service(self.participant), Health())
        self.open: set[ServerProtocol] = set()
        self.server = ServerProtocol(self.node, Bounds(), self.open)
        self.client = ClientProtocol(bounds or Bounds(streams=0), lambda _: None)
        self.at_server = LineEnd(self.server)
        self.at_client = LineEnd(self.client)

    def get(self, key: str, seconds: float = inf) -> tuple[ClientCall, FakeCaller]:
        """Begin a Get that has so much time."""
        return self.call(GET, GetRequest(group="g", key=key).SerializeToString(), seconds)

    def watch_health(self) -> tuple[ClientCall, FakeCaller]:
        """Begin to watch the node's health."""
        return self.call(f"/{HEALTH}/Watch", HealthCheckRequest().SerializeToString())

    def watch(self) -> tuple[ClientCall, FakeCaller]:
        """Begin to watch the node's removals."""
        return self.call(f"{CLUSTER}Watch", WatchRequest().SerializeToString())

    def call(
        self, path: str, message: bytes, seconds: float = inf
    ) -> tuple[ClientCall, FakeCaller]:
        """Begin a call of the method at `path`."""
        caller = FakeCaller()
        asked = ClientCall(timed(request_block(path, "n", ()), seconds), message, caller)
        self.client.session.ask(asked)
        return asked, caller


@asynccontextmanager
async def lines(bounds: Bounds | None = None) -> AsyncIterator[Lines]:
    """Both ends, joined until the end of the block."""
    joined = Lines(bounds)
    joined.at_client.join(joined.at_server)
    await after(0.01)
    try:
        yield joined
    finally:
        joined.at_client.thaw()
        joined.at_server.thaw()
        joined.client.abort()
        await after(0.01)
    assert joined.open == set()
    assert joined.node.tasks == {}

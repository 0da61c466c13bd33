"""The service bound to grpcio: always there, with health and reflection."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Awaitable
from typing import Final, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from cache_core.address import Address
from cache_core.errors import CacheError, PeerUnavailable
from cache_core.pb import gaocache_pb2
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.limits import MAX_MESSAGE_BYTES, MIN_PING_MS
from cache_core.rpc.service import Service
from cache_core.rpc.status import to_status

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, GetResponse]"

OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # else two nodes could share a port and split its calls
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_MS),
    ("grpc.keepalive_permit_without_calls", 1),  # else it ends an idle client that pings
)
FLUSH_SECONDS: Final = 1.0
"""How long answers already given may take to leave."""

QUIET_SECONDS: Final = 0.02
"""A server that stops ends its connections once no call has come for so long."""

LAME_DUCK_SECONDS: Final = 0.25
"""The longest wait for that quiet, however many go on calling."""

SERVICES: Final = tuple(
    service.full_name for service in gaocache_pb2.DESCRIPTOR.services_by_name.values()
)


class Server:
    """A gRPC server for `service` at `address`."""

    def __init__(self, service: Service, address: Address) -> None:
        self._service = service
        self._address = address
        self._server = grpc.aio.server(options=OPTIONS)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined] # missing in the stubs
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._waits: set[asyncio.Timeout] = set()
        self._called = asyncio.Event()
        self._answering = asyncio.Event()
        self._answering.set()

    async def start(self) -> Address:
        """Listen, and return the address with the port in use. Raises OSError."""
        _probe(self._address)
        for name in SERVICES:
            handler = grpc.unary_unary_rpc_method_handler(
                self._get, response_serializer=GetResponse.SerializeToString
            )
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(name, {"Get": handler}),)
            )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
        )
        try:
            port = self._server.add_insecure_port(str(self._address))
        except RuntimeError as error:
            raise OSError(errno.EADDRNOTAVAIL, "can't listen there") from error
        await self._server.start()
        for name in ("", *SERVICES):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return self._address._replace(port=port)

    async def stop(self, grace: float) -> None:
        """Refuse new calls, let running ones finish for `grace` seconds, then end them.

        Whoever calls meanwhile, or outlives the grace, gets PeerUnavailable. gRPC itself would
        answer new calls on open connections with CANCELLED from the moment it stops until the
        client has heard of it. So the last refusals are held back until that word is on its way
        before them: nobody who waits for an answer before calling again meets that moment.
        """
        self._service.drain()
        await self._health.enter_graceful_shutdown()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), grace)
        self._end_waits()
        self._answering.clear()
        await self._quiet()
        # The stop sends its word to the clients before it first yields to the loop.
        asyncio.get_running_loop().call_soon(self._answering.set)
        await self._server.stop(FLUSH_SECONDS)

    def _end_waits(self) -> None:
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            wait.reschedule(now)

    async def _quiet(self) -> None:
        """Return once no call has come for a while, or too many have."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAME_DUCK_SECONDS):
                while True:
                    self._called.clear()
                    await asyncio.wait_for(self._called.wait(), QUIET_SECONDS)

    async def _get(self, request: bytes, context: Context) -> GetResponse:
        self._called.set()
        await self._answering.wait()
        self._running += 1
        self._idle.clear()
        try:
            response = self._service.get(GetRequest.FromString(request))
            return response if isinstance(response, GetResponse) else await self._wait(response)
        except CacheError as error:
            await context.abort(*to_status(error))
        except DecodeError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request is no GetRequest")
        finally:
            self._running -= 1
            if self._running == 0:
                self._idle.set()

    async def _wait(self, response: Awaitable[GetResponse]) -> GetResponse:
        """Return what `response` gives. Raises PeerUnavailable where the server stops first."""
        try:
            async with asyncio.timeout(None) as wait:
                self._waits.add(wait)
                return await response
        except TimeoutError as error:
            raise PeerUnavailable("the node is stopping") from error
        finally:
            self._waits.discard(wait)


def _probe(address: Address) -> None:
    """Raise the OSError that listening at `address` meets.

    gRPC would only say that it failed, and print lines of its own about it.
    """
    family, kind, protocol, _, where = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(1)

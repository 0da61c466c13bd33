"""The engine on grpcio, which is always installed."""

import asyncio
import errno
from typing import Final

import grpc.aio

from cache_core.address import Address
from cache_core.rpc.engine import probe
from cache_core.rpc.grpcio.draining import RunningCalls
from cache_core.rpc.grpcio.handlers import Handlers
from cache_core.rpc.grpcio.introspection import Introspection
from cache_core.rpc.service import Service
from cache_core.rpc.wire.limits import FLUSH_SECONDS, MAX_MESSAGE_BYTES, MIN_PING_MS

OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # else two nodes could share a port and split its calls
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_MS),
    ("grpc.keepalive_permit_without_calls", 1),  # else it ends an idle client that pings
)


class Server:
    """An Engine on grpcio: a gRPC server at `address`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._service: Service | None = None
        self._server = grpc.aio.server(options=OPTIONS)
        self._introspection = Introspection()
        self._running = RunningCalls()

    def bind(self) -> Address:
        """Take the address, and return it with the port in use. Raises OSError."""
        probe(self._address)
        try:
            port = self._server.add_insecure_port(str(self._address))
        except RuntimeError as error:
            raise OSError(errno.EADDRNOTAVAIL, "can't listen there") from error
        return self._address._replace(port=port)

    async def start(self, service: Service) -> None:
        """Begin to serve `service`, after `bind`."""
        self._service = service
        Handlers(service, self._running).bind(self._server)
        self._introspection.bind(self._server)
        await self._server.start()
        await self._introspection.serve()

    async def stop(self, grace: float) -> None:
        """Refuse new calls, let running ones finish for `grace` seconds, then end them.

        A call that comes meanwhile, or that outlives the grace, ends in PeerUnavailable. From the
        moment it stops, gRPC itself answers new calls on open connections with CANCELLED, until
        the client has heard of the stop. So the last refusals are held back until that word is on
        its way before them. Then a client that waits for each answer before it calls again never
        meets that moment.
        """
        if self._service is not None:
            self._service.drain()
        await self._introspection.drain()
        await self._running.finish(grace)
        await self._running.hold_back()
        # The stop sends its word to the clients before it first yields to the loop, and so before
        # this answers.
        asyncio.get_running_loop().call_soon(self._running.answer)
        await self._server.stop(FLUSH_SECONDS)

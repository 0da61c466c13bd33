"""The two services by which a node tells of its gRPC services: health and reflection."""

from typing import Final, cast

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from cache_core.rpc.calls import SERVICES

SERVED: Final = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)


class Introspection:
    """The services grpc.health.v1 and grpc.reflection.v1alpha, as gRPC's own packages have them."""

    def __init__(self) -> None:
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined] # missing in the stubs

    def bind(self, server: grpc.aio.Server) -> None:
        """Let `server` answer the calls of both."""
        generic = _Generic(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, generic)
        reflection.enable_server_reflection(SERVED, cast("grpc.aio.Server", generic))

    async def serve(self) -> None:
        """Report all services as serving from now on."""
        for name in ("", *SERVICES):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Report all services as not serving from now on."""
        await self._health.enter_graceful_shutdown()


class _Generic:
    """A stand-in for `server` that passes generic handlers on to it, and ignores registered ones.

    For a registered method, grpcio keeps a wait of its own, which every other call pays for.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, *_: object) -> None:
        """Ignore the handlers."""

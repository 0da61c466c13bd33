"""What a node says of its gRPC services themselves: their health, and their reflection."""

from typing import Final, cast

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from cache_core.rpc.calls import SERVICES

SERVED: Final = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)


class Introspection:
    """grpc.health.v1 and grpc.reflection.v1alpha, on grpcio: they call for streams both ways."""

    def __init__(self) -> None:
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined] # missing in the stubs

    def bind(self, server: grpc.aio.Server) -> None:
        """Let `server` answer for both."""
        generic = _Generic(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, generic)
        reflection.enable_server_reflection(SERVED, cast("grpc.aio.Server", generic))

    async def serve(self) -> None:
        """Say from now on that all services serve."""
        for name in ("", *SERVICES):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Say from now on that none does."""
        await self._health.enter_graceful_shutdown()


class _Generic:
    """Takes generic handlers to `server`, and leaves out the registered ones beside them.

    grpcio waits for a call of each registered method apart, which every other call pays for.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, *_: object) -> None:
        """Take none."""

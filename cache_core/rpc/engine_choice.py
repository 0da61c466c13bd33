"""The choice of the engine that carries a node's calls. Imports an engine once it is chosen."""

from functools import partial
from typing import Final

from cache_core.rpc.engine import DEFAULT_BOUNDS, ConnectionBounds, GrpcEngine, OpenEngine

DEFAULT: Final = GrpcEngine.NATIVE
"""What AUTO stands for."""


def engine_here(engine: GrpcEngine) -> GrpcEngine:
    """Return the engine, GRPCIO or NATIVE, that `engine` stands for."""
    return DEFAULT if engine is GrpcEngine.AUTO else engine


def choose_engine(engine: GrpcEngine, bounds: ConnectionBounds = DEFAULT_BOUNDS) -> OpenEngine:
    """Return what makes an engine of that kind, from an address.

    `bounds` are what clients' connections may hold, which GRPCIO can't be told.
    """
    if engine_here(engine) is GrpcEngine.GRPCIO:
        from cache_core.rpc.grpcio.server import Server  # noqa: PLC0415 - most do without grpcio

        return Server
    from cache_core.rpc.transport.node.server import Server as NativeServer  # noqa: PLC0415 - as above

    return partial(NativeServer, bounds=bounds)

"""The choice of the engine that carries a node's calls. Imports an engine once it is chosen."""

from importlib.util import find_spec

from cache_core.address import Address
from cache_core.rpc.engine import Engine, EngineMissing, GrpcEngine, OnFailure, OpenEngine


def engine_here(engine: GrpcEngine) -> GrpcEngine:
    """Return the engine, GRPCIO or NATIVE, that `engine` stands for on this machine.

    Raises EngineMissing.
    """
    if engine is not GrpcEngine.GRPCIO and _has_native():
        return GrpcEngine.NATIVE
    if engine is GrpcEngine.NATIVE:
        raise EngineMissing("it needs the extra `fast`: pip install 'gaocache[fast]'")
    return GrpcEngine.GRPCIO


def choose_engine(engine: GrpcEngine) -> OpenEngine:
    """Return the function that makes an engine of that kind, from an address and a callback.

    The callback is told where the engine ends by itself. Raises EngineMissing.
    """
    return _open_native if engine_here(engine) is GrpcEngine.NATIVE else _open_grpcio


def _has_native() -> bool:
    return find_spec("pygrpc_native") is not None


def _open_native(address: Address, failed: OnFailure) -> Engine:
    from cache_core.rpc.native.server import NativeServer  # noqa: PLC0415 - an extra

    return NativeServer(address, failed)


def _open_grpcio(address: Address, _: OnFailure) -> Engine:
    """Return grpcio's server; it lives in the event loop, and so never ends by itself."""
    from cache_core.rpc.grpcio.server import Server  # noqa: PLC0415 - the other engine does without it

    return Server(address)

"""The choice of the engine that carries a node's calls. Imports an engine once it is chosen."""

from importlib.util import find_spec

from cache_core.address import Address
from cache_core.rpc.engine import Engine, EngineMissing, GrpcEngine, OnFailure, OpenEngine


def engine_here(engine: GrpcEngine) -> GrpcEngine:
    """Return which of GRPCIO and NATIVE `engine` comes to on this machine. Raises EngineMissing."""
    if engine is not GrpcEngine.GRPCIO and _has_native():
        return GrpcEngine.NATIVE
    if engine is GrpcEngine.NATIVE:
        raise EngineMissing("it needs the extra `fast`: pip install 'gaocache[fast]'")
    return GrpcEngine.GRPCIO


def choose_engine(engine: GrpcEngine) -> OpenEngine:
    """Return what makes engines of that kind, for an address and who is told of a failure.

    Raises EngineMissing.
    """
    return _open_native if engine_here(engine) is GrpcEngine.NATIVE else _open_grpcio


def _has_native() -> bool:
    return find_spec("pygrpc_native") is not None


def _open_native(address: Address, failed: OnFailure) -> Engine:
    from cache_core.rpc.native.server import NativeServer  # noqa: PLC0415 - an extra

    return NativeServer(address, failed)


def _open_grpcio(address: Address, _: OnFailure) -> Engine:
    """Return grpcio's server, which has no end of its own: it lives in the loop."""
    from cache_core.rpc.grpcio.server import Server  # noqa: PLC0415 - loads what the other does without

    return Server(address)

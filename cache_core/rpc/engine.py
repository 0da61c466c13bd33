"""The engines that carry a node's calls, and the choice of one. Imports none before that."""

from collections.abc import Callable
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol, TypeAlias

from cache_core.address import Address

if TYPE_CHECKING:  # the names of engines are settings, which do without what serves
    from cache_core.rpc.service import Service


class GrpcEngine(StrEnum):
    """What carries a node's calls."""

    AUTO = "auto"
    """NATIVE where it is installed, else GRPCIO."""
    GRPCIO = "grpcio"
    """gRPC's own library: always there."""
    NATIVE = "native"
    """pygrpc-native, an extra: many times the calls a second."""


class EngineMissing(Exception):
    """The engine that was asked for is not installed; says what to do."""


class EngineFailed(Exception):
    """A node's engine can't start, or has ended by itself, and the node with it; says why."""


Failed: TypeAlias = Callable[[EngineFailed], None]


class Engine(Protocol):
    """A gRPC server at an address. Belongs to one event loop, and serves once."""

    def bind(self) -> Address:
        """Take the address, and return it with the port in use. Raises OSError."""

    async def start(self, service: "Service") -> None:
        """Serve what `service` answers, after `bind`. Raises EngineFailed."""

    async def stop(self, grace: float) -> None:
        """Refuse new calls, let running ones finish for `grace` seconds, then end them.

        Whoever calls meanwhile, or outlives the grace, gets PeerUnavailable.
        """


OpenEngine: TypeAlias = Callable[[Address, Failed], Engine]


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


def _open_native(address: Address, failed: Failed) -> Engine:
    from cache_core.rpc.native import NativeServer  # noqa: PLC0415 - an extra

    return NativeServer(address, failed)


def _open_grpcio(address: Address, _: Failed) -> Engine:
    """Return grpcio's server, which has no end of its own: it lives in the loop."""
    from cache_core.rpc.server import Server  # noqa: PLC0415 - loads what the other does without

    return Server(address)

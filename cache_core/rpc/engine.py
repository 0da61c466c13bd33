"""The engines that carry a node's calls: their names, and the protocol that each one fulfils.

Knows no engine itself.
"""

import socket
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self, TypeAlias

from cache_core.address import Address
from cache_core.connection_limit import DEFAULT_MOST
from cache_core.settings import MIB

if TYPE_CHECKING:  # settings import the names of engines, and should not load the service
    from cache_core.rpc.service import Service


LEAST_CONNECTION_MEMORY: Final = 5 * MIB
"""A message may have a little more than 4 MiB."""


CONNECTIONS_OF_TOTAL: Final = 4
"""How many times what one connection may hold all together may hold at least: one may hold it of
requests and of answers, and a message beyond.
"""


class GrpcEngine(StrEnum):
    """The name of what carries a node's calls."""

    AUTO = "auto"
    """NATIVE."""
    GRPCIO = "grpcio"
    """gRPC's own library."""
    NATIVE = "native"
    """Our own, of pure Python: many times the calls a second."""


class ConnectionBounds(NamedTuple):
    """What clients' connections may hold of requests and of answers that are not read, in bytes."""

    connection: int = 8 * MIB
    """On one connection; past it more requests are refused, or have to wait."""
    total: int = 256 * MIB
    """On all together; past it those are cut off that hold most, and say nothing for longest."""

    most: int = DEFAULT_MOST
    """How many there may be; past it the longest idle one makes room for another."""

    @classmethod
    def checked(cls, connection: int, total: int, most: int) -> Self:
        """Return bounds that leave room for every message. Raises ValueError for others."""
        if not LEAST_CONNECTION_MEMORY <= connection <= total // CONNECTIONS_OF_TOTAL:
            least = f"{LEAST_CONNECTION_MEMORY} bytes or more, and that of all four times as much"
            raise ValueError(
                f"a connection's memory should be {least}, not {connection} and {total}"
            )
        if most < 1:
            raise ValueError(f"there should be room for a connection, not {most}")
        return cls(connection, total, most)


DEFAULT_BOUNDS: Final = ConnectionBounds()


class Engine(Protocol):
    """A gRPC server at an address. Belongs to one event loop, and serves once."""

    def bind(self) -> Address:
        """Take the address, and return it with the port in use. Raises OSError."""

    async def start(self, service: "Service") -> None:
        """Begin to serve `service`, after `bind`."""

    async def stop(self, grace: float) -> None:
        """Refuse new calls, let running ones finish for `grace` seconds, then end them.

        A call that comes meanwhile, or that outlives the grace, ends in PeerUnavailable.
        """


OpenEngine: TypeAlias = Callable[[Address], Engine]


def probe(address: Address) -> None:
    """Try to listen at `address`. Raises OSError where that fails.

    An engine would only say that it failed, and print lines of its own about it.
    """
    family, kind, protocol, _, where = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(1)

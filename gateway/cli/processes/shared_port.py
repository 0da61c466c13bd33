"""A port at which several processes listen, each with a queue of connections of its own.

With one queue for all, a worker that is busy already would take most connections. The system gives
each socket that has SO_REUSEPORT its share instead (socket(7)).
"""

import socket
from types import TracebackType
from typing import Self

from cache_core.address import Address
from gateway.cli.processes.listening import bound, listen_failure


class SharedPort:
    """An address that is held from now on, also while nobody listens there.

    Port 0 takes a free one. Use it with `with`. Raises Failure where another process holds the
    address, or listens there.
    """

    def __init__(self, address: Address) -> None:
        sock = bound(address)
        # Only now, because a socket that is bound with it shares the port with any that has it.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # From now on, other sockets are bound here only with SO_REUSEPORT, or refused.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        self._sock = sock
        self.address = address._replace(port=sock.getsockname()[1])

    def listen(self) -> socket.socket:
        """Return a socket that listens here, beside those that do already. Raises Failure."""
        sock = socket.socket(self._sock.family, self._sock.type, self._sock.proto)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(self._sock.getsockname())
            sock.listen()
        except OSError as error:
            sock.close()
            raise listen_failure(self.address, error) from error
        return sock

    def close(self) -> None:
        """Hold the address no more."""
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Listener:
    """A worker's share of a port: a socket that outlives the worker.

    Connections that come in while no worker serves here wait for the next worker.
    """

    def __init__(self, port: SharedPort) -> None:
        self._port = port
        self._sock: socket.socket | None = None

    def open(self) -> int:
        """Return the descriptor of the socket, which listens. Raises Failure."""
        if self._sock is None:
            self._sock = self._port.listen()
        return self._sock.fileno()

    def shut(self) -> None:
        """Give the socket up: once no worker has it, new connections go to the others' sockets."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

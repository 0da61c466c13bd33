"""The engine on the event loop's own connections, which needs no library of gRPC."""

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Final

from cache_core.address import Address
from cache_core.rpc.engine import DEFAULT_BOUNDS, ConnectionBounds
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.service import Service
from cache_core.rpc.transport.node.introspection import Health
from cache_core.rpc.transport.node.listening import BACKLOG, listen_at, listen_at_path
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.node.server_protocol import ServerProtocol
from cache_core.rpc.wire.limits import FLUSH_SECONDS

HANDSHAKE_SECONDS: Final = 5.0
"""How long a client may take to agree on the encryption, before it is cut off."""

GOODBYE_SECONDS: Final = 0.25
"""How long clients may take to hear that no more calls are taken, before those are refused."""


class Server:
    """An Engine of pure Python: a gRPC server at `address`, which never ends by itself.

    `bounds` are what clients' connections may hold. With `tls` the connections are encrypted; it
    should offer `h2` by ALPN. What waits within the encryption itself is not counted.
    """

    def __init__(
        self,
        address: Address,
        *,
        bounds: ConnectionBounds = DEFAULT_BOUNDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address = address
        self._connection_bounds = bounds
        self._tls = tls
        self._bounds = Bounds()
        self._health = Health()
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._service: Service | None = None
        self._calls: NodeCalls | None = None
        self._connections: set[ServerProtocol] = set()

    def bind(self) -> Address:
        """Take every address that the name means, and return it with the port in use.

        Raises OSError.
        """
        self._sockets = listen_at(self._address)
        return self._address._replace(port=self._sockets[0].getsockname()[1])

    def bind_path(self, path: Path) -> None:
        """Listen at a Unix socket, in the place of the address. Raises OSError."""
        self._sockets = [listen_at_path(path)]

    async def start(self, service: Service) -> None:
        """Begin to serve `service`, after `bind`."""
        if not self._sockets:
            raise RuntimeError("a server is bound before it is started")
        self._service = service
        self._calls = calls = NodeCalls(service, self._health, self._connection_bounds)
        self._health.serve()
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            is_path = listening.family == socket.AF_UNIX
            create = loop.create_unix_server if is_path else loop.create_server
            server = await create(
                lambda: ServerProtocol(calls, self._bounds, self._connections),
                sock=listening,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else HANDSHAKE_SECONDS,
                backlog=BACKLOG,
            )
            self._servers.append(server)

    async def stop(self, grace: float) -> None:
        """Refuse new calls, let running ones finish for `grace` seconds, then end them.

        A call that comes meanwhile, or that outlives the grace, ends in PeerUnavailable. Then
        clients are told to begin no more calls; those that cross that word are refused still.
        """
        if self._service is not None:
            self._service.drain()
        self._health.drain()
        if self._calls is not None:
            await self._calls.finish(grace)
        for server in self._servers:
            server.close()
        if not self._servers:
            for listening in self._sockets:
                listening.close()
        await asyncio.sleep(0)
        for connection in list(self._connections):
            connection.say_goodbye()
        await self._until_closed(GOODBYE_SECONDS)
        if self._calls is not None:
            self._calls.cancel()
        await asyncio.sleep(0)
        for connection in list(self._connections):
            connection.end()
        await self._until_closed(FLUSH_SECONDS)
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)

    async def _until_closed(self, seconds: float) -> None:
        """Return once no connection is left, or after `seconds`."""
        closed = [connection.closed for connection in self._connections]
        if closed:
            await asyncio.wait(closed, timeout=seconds)

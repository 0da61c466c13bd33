"""The kept way to one node: a connection that is opened when a call needs one."""

import asyncio
import logging
import os
import socket
import ssl
from contextvars import Context
from pathlib import Path
from typing import Final

import aiohappyeyeballs

from cache_core.address import Address
from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.transport.client_protocol import ClientProtocol
from cache_core.rpc.wire.limits import FLUSH_SECONDS

logger = logging.getLogger("gaocache")

DIAL_SECONDS: Final = 20.0
"""How long opening a connection may take."""

PAUSE_SECONDS: Final = 0.1
"""How long after a failed try the next one waits; calls fail at once meanwhile."""

NEXT_ADDRESS_SECONDS: Final = 0.25
"""How long one address of a name is tried before the next is tried beside it (RFC 8305)."""


class Way:
    """The way to the node at `address`, or at a Unix socket's path.

    With `tls` the connection is encrypted, and `tls` decides whom it trusts; the node has to speak
    HTTP/2 by ALPN. Belongs to the event loop that it is made in.
    """

    def __init__(self, address: Address | Path, *, tls: ssl.SSLContext | None = None) -> None:
        self._address = address
        self._name = str(address)
        self._tls = tls
        self._host = "localhost" if isinstance(address, Path) else address.host
        self._loop = asyncio.get_running_loop()
        self._bounds = Bounds(streams=0)
        self._live: ClientProtocol | None = None
        self._leaving: set[ClientProtocol] = set()
        self._waiting: dict[ClientCall, None] = {}
        self._dialing: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._failure = ""
        self.is_closed = False

    def ask(self, call: ClientCall) -> None:
        """Make `call`; where there is no connection, once one is open."""
        live = self._live
        if live is not None:
            live.session.ask(call)
        elif self.is_closed:
            self._loop.call_soon(call.end, _unavailable("the way is closed"))
        elif self._dialing is None and self._loop.time() < self._not_before:
            self._loop.call_soon(call.end, _unavailable(self._failure))
        else:
            self._waiting[call] = None
            if self._dialing is None:
                self._dialing = self._loop.create_task(self._dial(), context=Context())

    def give_up(self, call: ClientCall) -> None:
        """Wait for the answer of `call` no longer; it is not told of its end."""
        if call.session is not None:
            call.session.give_up(call)
        else:
            self._waiting.pop(call, None)

    async def aclose(self) -> None:
        """Close the connections; calls that are under way end as UNAVAILABLE."""
        self.is_closed = True
        if self._dialing is not None:
            self._dialing.cancel()
            await asyncio.wait([self._dialing])
        self._end_waiting("the way is closed")
        live, self._live = self._live, None
        connections = [*self._leaving, *([live] if live is not None else [])]
        for connection in connections:
            connection.close()
        if connections:
            closed = [connection.closed for connection in connections]
            await asyncio.wait(closed, timeout=FLUSH_SECONDS)
            for connection in connections:
                connection.abort()
            await asyncio.wait(closed)

    async def _dial(self) -> None:
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                connection = await self._connect()
        except Exception as error:  # noqa: BLE001 - such as of names that IDNA can't write
            self._give_up_dialing(f"can't connect: {error}")
            return
        if connection.has_left:  # before this was told that it is open
            self._give_up_dialing("can't connect: the connection was lost at once")
            return
        self._dialing = None
        self._failure = ""
        self._live = connection
        waiting, self._waiting = self._waiting, {}
        for call in waiting:
            connection.session.ask(call)

    def _give_up_dialing(self, words: str) -> None:
        self._dialing = None
        self._pause(words)
        self._end_waiting(words)

    def _pause(self, words: str) -> None:
        self._not_before = self._loop.time() + PAUSE_SECONDS
        if words != self._failure:  # it may be tried ten times a second
            logger.info("node %s can't be reached: %s", self._name, words)
        self._failure = words

    async def _connect(self) -> ClientProtocol:
        def protocol() -> ClientProtocol:
            return ClientProtocol(self._bounds, self._forget)

        host = self._host if self._tls is not None else None
        if isinstance(self._address, Path):
            transport, connection = await self._loop.create_unix_connection(
                protocol, str(self._address), ssl=self._tls, server_hostname=host
            )
        else:
            connected = await self._at_host(*self._address)
            identity = os.fstat(connected.fileno()).st_ino
            try:
                transport, connection = await self._loop.create_connection(
                    protocol, sock=connected, ssl=self._tls, server_hostname=host
                )
            except BaseException:
                self._let_go(connected, identity)
                raise
            if connection.transport is None:
                self._let_go(connected, identity)
        if self._tls is not None:
            spoken = transport.get_extra_info("ssl_object").selected_alpn_protocol()
            if spoken != "h2":
                transport.abort()
                raise OSError("the other end speaks no HTTP/2 over TLS")
        return connection

    async def _at_host(self, host: str, port: int) -> socket.socket:
        found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        connected = await aiohappyeyeballs.start_connection(
            found, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS, interleave=1, loop=self._loop
        )
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected

    def _let_go(self, connected: socket.socket, identity: int) -> None:
        """Let go of the socket of a connection that has failed or was lost at once.

        uvloop has then closed its descriptor in most cases, and not the socket: that would close
        the number once more when it is freed, whoever's it is by then.
        """
        if isinstance(self._loop, asyncio.BaseEventLoop):
            return
        try:
            is_open = os.fstat(connected.fileno()).st_ino == identity
        except OSError:
            is_open = False
        if is_open:
            connected.close()
        else:
            connected.detach()

    def _forget(self, connection: ClientProtocol) -> None:
        """Ask no more calls on `connection`; keep it until it is over."""
        connection.has_left = True
        if self._live is connection:
            self._live = None
            if connection.why:
                logger.info("the connection to node %s has ended: %s", self._name, connection.why)
            if not connection.session.connection.is_settled:
                self._pause("can't connect: the connection was lost at once")
            elif connection.was_turned_away and not connection.session.has_answered:
                self._failure = connection.why  # which is logged already
                self._pause(connection.why)
        if connection.transport is None:
            self._leaving.discard(connection)
        else:
            self._leaving.add(connection)

    def _end_waiting(self, words: str) -> None:
        waiting, self._waiting = self._waiting, {}
        for call in waiting:
            call.end(_unavailable(words))


def _unavailable(words: str) -> Ended:
    return Ended(StatusCode.UNAVAILABLE, words)

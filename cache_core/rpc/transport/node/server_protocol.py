"""One client's connection at a node."""

import asyncio
from typing import Final
from urllib.parse import quote

from cache_core.connection_limit import Admission
from cache_core.rpc.grpc.server_call import MethodHead, ServerCall
from cache_core.rpc.grpc.server_session import ServerSession
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import ConnectionFault, ErrorCode
from cache_core.rpc.transport.node.calls import ConnectionCalls
from cache_core.rpc.transport.node.methods import METHODS
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.wire import Wire
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES, QUIET_SECONDS

CONNECTION_BYTES: Final = 8 * 1024
"""What a connection takes that does nothing; 6.3 KB were measured, without encryption."""

CALL_BYTES: Final = 4 * 1024
"""What a call takes that is under way, beside its messages."""


class ServerProtocol(Wire[MethodHead, ServerCall]):
    """A connection over which a client calls `node`; one of `all_of_them` while it is open."""

    most_at_once = 1 << 15
    """Some hundred calls, or a few that take milliseconds each, as peeks of a thousand keys do."""

    _is_cut_off = False
    _goodbye = b""
    """The data of the ping that goes behind a goodbye."""

    def __init__(self, node: NodeCalls, bounds: Bounds, all_of_them: "set[ServerProtocol]") -> None:
        loop = asyncio.get_running_loop()
        self._calls = ConnectionCalls(node)
        self._node = node
        self._memory = node.memory
        self._all = all_of_them
        session = ServerSession(
            METHODS,
            self._calls,
            bounds=bounds,
            max_message=MAX_MESSAGE_BYTES,
            max_held=node.bounds.connection,
            turns=node.turns,
            clock=loop.time,
        )
        self._session = session
        self._requests = session.connection
        super().__init__(
            session.connection, session.connection.receive, turns=node.turns, quiet=QUIET_SECONDS
        )
        self._calls.attach(session, self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to take calls."""
        self._all.add(self)
        self._calls.peer = _name_of(transport)
        super().connection_made(transport)
        if self._node.is_ending:  # its handshake has ended too late
            self.abort()
        elif self._node.limit.admit(self, self._all) is not Admission.ADMITTED:
            self.cut_off("there are as many connections as there may be")

    def connection_lost(self, exc: Exception | None) -> None:
        """End the work for all calls of the connection: the client has gone."""
        super().connection_lost(exc)
        self._all.discard(self)
        self._calls.lost()
        self._session.lose()
        self._memory.let_go(self)
        del self._calls  # each has the other

    def pause_writing(self) -> None:
        """Read no more from a client that does not read: what it asks would pile up.

        The client's end goes on reading all the same, so that the two never wait for each other.
        """
        super().pause_writing()
        if self.transport is not None:
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again."""
        super().resume_writing()
        self._read_on()
        if self.transport is not None:
            self._requests.outlet.unwritten = self._kept(self.transport)
            self.flush_soon()

    def _read_on(self) -> None:
        if not self._paused:
            super()._read_on()

    def flush(self) -> None:
        """Write what there is; close a connection whose last call is answered after a goodbye.

        Calls that waited for answers to be read are answered first, as far as there is room.
        """
        if self.transport is None:
            super().flush()
            return
        self._session.backlog.go_on()
        super().flush()
        if not self._is_cut_off:
            self._memory.hold(self, self._held())
        if self._session.backlog.can_go_on:
            self.flush_soon()
        if self._requests.refuses and not self._requests.streams and self.transport is not None:
            self.transport.close()

    @property
    def idle_since(self) -> float | None:
        """Since when nothing came and nothing is called, by the loop's clock; else None."""
        is_idle = not self._requests.streams and not self._requests.refuses
        has_unsent = self.transport is not None and self.transport.get_write_buffer_size() > 0
        return self.heard if is_idle and not has_unsent else None

    def shutdown(self) -> None:
        """Close the connection, on which nothing is called."""
        self.end()

    def cut_off(self, why: str) -> None:
        """End the connection at once; tell the log why, and the client where it still reads."""
        self._is_cut_off = True
        self._requests.fail(ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, why))
        Wire.flush(self)
        self.abort()

    def say_goodbye(self) -> None:
        """Ask the client to begin no more calls; once it has heard that, refuse them."""
        self._requests.goaway()
        self._goodbye = self.ping()
        self.flush()

    def end(self) -> None:
        """Refuse calls from now on, and close the connection once the last one is answered."""
        if not self._requests.refuses:
            self._requests.refuses = True
            self._requests.goaway(self._requests.last)
            self.flush()

    def _held(self) -> int:
        outlet = self._requests.outlet
        return (
            CONNECTION_BYTES
            + len(self._requests.streams) * CALL_BYTES
            + len(self._come)
            + self._requests.held
            + self._session.backlog.held
            + self._calls.loaded
            + outlet.queued
            + outlet.unwritten
        )

    def _look(self) -> None:
        self._session.end_late()
        super()._look()

    def answered_ping(self, data: bytes) -> None:
        """Note that the client lives, and has heard of the goodbye if it was said before."""
        super().answered_ping(data)
        if data == self._goodbye:
            self.end()


def _name_of(transport: asyncio.BaseTransport) -> str:
    """Return grpcio's name for a client: `ipv4:127.0.0.1:5`, `ipv6:%5B::1%5D:5`, `unix:`.

    An IPv4 client of an IPv6 socket has the name of its IPv4 address.
    """
    where = transport.get_extra_info("peername")
    if not isinstance(where, tuple):
        return "unix:"
    host, port = where[0], where[1]
    mapped = host.removeprefix("::ffff:")
    if "." in mapped:
        return f"ipv4:{mapped}:{port}"
    return f"ipv6:{quote(f'[{host}]', safe=':')}:{port}"

"""A connection of the event loop, of which each turn's bytes are written at once."""

import asyncio
import sys
from collections.abc import Callable
from os import urandom
from typing import Final, Generic, TypeVar, cast

from cache_core.rpc.grpc.turns import Turns
from cache_core.rpc.http2.control import Control
from cache_core.rpc.http2.framing.codes import ErrorCode
from cache_core.rpc.http2.listener import Head

H = TypeVar("H", bound=Head)
C = TypeVar("C")

STALL_SECONDS: Final = 30.0
"""How long the other end may take nothing of what it is sent."""

PONG_SECONDS: Final = 20.0
"""How long the other end may take to answer a ping."""

HIGH_WATER: Final = 1 << 16
"""From how much on that has not left no more is written; it is again once nothing is left."""

WORTH_BYTES: Final = 1 << 16
"""How much of what was written has to leave from one look to the next, to count as being read."""

JOINS: Final = (3, 12) <= sys.version_info < (3, 12, 9) or (
    (3, 13) <= sys.version_info < (3, 13, 2)
)
"""Whether a write of several parts goes by no water mark (CVE-2024-12254)."""


class Wire(asyncio.Protocol, Generic[H, C]):
    """The bytes of `connection`, to and from a transport; `receive` takes those that come.

    After `quiet` seconds without a byte the other end is pinged. One that answers no ping, takes
    nothing of what it is sent, or says nothing at all for the time of a handshake, is cut off; a
    stream of which it takes nothing is reset.
    """

    most_at_once = 1 << 18
    """How many bytes are taken in one turn, so that other connections have their part of it.

    On uvloop, a connection that is read on and on would have 8 MB before the next one has any.
    """

    def __init__(
        self,
        connection: Control[H, C],
        receive: Callable[[bytes], None],
        *,
        turns: Turns,
        quiet: float,
    ) -> None:
        self.transport: asyncio.Transport | None = None
        self._come = b""
        """What has come and waits for a later turn."""
        self._connection = connection
        self._outlet = connection.outlet
        self._receive = receive
        self._turns = turns
        self._quiet = quiet
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        """Done once the connection is over."""
        self._in_turn = False
        self.heard = 0.0
        """When something last came, by the event loop's clock."""
        self._pinged = self._paused = 0.0
        self._written = self._taken = 0
        self._emptied = 0
        """How much had been written when nothing was left of it."""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what goes first."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no instance of it
        self.transport.set_write_buffer_limits(high=HIGH_WATER, low=0)
        self.heard = self._loop.time()
        self._timer = self._loop.call_later(PONG_SECONDS, self._look)
        self._connection.begin()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio calls it
        """Watch the other end no more."""
        if self._timer is not None:
            self._timer.cancel()
        self.transport = None
        self._outlet.clear()
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and write at once what they lead to; of many, the rest in later turns."""
        self.heard = self._loop.time()
        self._take(self._come + data if self._come else data)

    def suspended(self) -> None:
        """Read no more until a later turn, which goes on with what has come."""
        if self.transport is not None:
            self.transport.pause_reading()
        self._turns.wait(self._go_on)

    def pause_writing(self) -> None:
        """Note that the other end does not read."""
        self._paused = self._loop.time()

    def resume_writing(self) -> None:
        """Note that it reads again."""
        self._paused = 0.0
        self.heard = self._loop.time()

    def flush_soon(self) -> None:
        """Write what there is when the turn of the event loop ends."""
        if not self._in_turn:
            self._in_turn = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what there is; once the connection has failed, close it."""
        self._in_turn = False
        transport, parts = self.transport, self._outlet.parts
        if transport is None:
            self._outlet.clear()
            self._outlet.unwritten = 0
            return
        if parts:
            if self._outlet.has_large and not JOINS:
                self._written += sum(map(len, parts))
                transport.writelines(parts)
            else:
                joined = b"".join(parts)
                self._written += len(joined)
                transport.write(joined)
            self._outlet.clear()
        self._outlet.unwritten = self._kept(transport)
        if self._connection.has_failed:
            transport.close()

    def close(self) -> None:
        """Close the connection once all is written."""
        self.flush()
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close the connection at once."""
        if self.transport is not None:
            self.transport.abort()

    def ping(self) -> bytes:
        """Ask the other end whether it still lives; return the data that it has to send back."""
        self._pinged = self._loop.time()
        data = urandom(8)
        self._connection.ping(data)
        return data

    def answered_ping(self, _data: bytes) -> None:
        """Note that the other end lives: any answer tells so."""
        self._pinged = 0.0

    def _take(self, data: bytes) -> None:
        self._come = data[self.most_at_once :]
        if self._come:
            data = data[: self.most_at_once]
            self.suspended()
        self._in_turn = True
        try:
            self._receive(data)
        finally:
            self.flush()

    def _go_on(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        self._connection.resume()
        self._take(self._come)
        self._read_on()

    def _read_on(self) -> None:
        """Read again, unless something speaks against it."""
        if self.transport is not None and not self._come and not self._connection.is_suspended:
            self.transport.resume_reading()

    def _kept(self, transport: asyncio.Transport) -> int:
        """Return how much the transport keeps of what was written.

        uvloop keeps all that was written in a turn until the last byte of it has left, and tells
        only how much has not. So all counts until nothing is left.
        """
        if not transport.get_write_buffer_size():
            self._emptied = self._written
        return self._written - self._emptied

    def _may_ping(self) -> bool:
        """Return whether a ping is worth its bytes."""
        return True

    def _look(self) -> None:
        """Look whether the other end still lives, reads, and has begun to speak."""
        now = self._loop.time()
        left = 0 if self.transport is None else self.transport.get_write_buffer_size()
        taken = self._written - left
        if self._paused and taken - self._taken >= WORTH_BYTES:
            self._paused = now
        self._taken = taken
        if self._paused:  # nothing may be read meanwhile, so that no answer to a ping would be seen
            self.heard, self._pinged = now, 0.0
        if (
            not self._connection.is_settled
            or (self._paused and now - self._paused >= STALL_SECONDS)
            or (self._pinged and now - self._pinged >= PONG_SECONDS)
        ):
            self.abort()
            return
        for stream in self._outlet.stalled(STALL_SECONDS):
            self._connection.give_up(stream, ErrorCode.CANCEL, "nothing of it is taken")
        quiet = now - self.heard
        if quiet >= self._quiet and not self._pinged and self._may_ping():
            self.ping()
        self.flush()
        self._timer = self._loop.call_later(min(self._quiet, PONG_SECONDS) / 2, self._look)

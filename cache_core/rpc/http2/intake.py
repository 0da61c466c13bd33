"""What a connection takes: bytes to frames, frames to the listener's calls (RFC 9113, section 6).

The frames of calls are told apart by comparing, not by a table, because every call pays for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.connection import Connection
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_HEAD_BYTES,
    GREATEST_STREAM,
    HEADERS,
    LEAST_MAX_FRAME,
    PADDED,
    SETTINGS,
    WITH_PRIORITY,
    ConnectionFault,
    ErrorCode,
    StreamFault,
)
from cache_core.rpc.http2.framing.fields import Malformed
from cache_core.rpc.http2.framing.head_reader import HeadReader
from cache_core.rpc.http2.framing.padding import bare, unpadded
from cache_core.rpc.http2.listener import Head, Listener
from cache_core.rpc.http2.stream import Stream

H = TypeVar("H", bound=Head)
C = TypeVar("C")

RESET_BYTES: Final = 112
"""What the number of a stream that was reset takes."""

MAX_CONTINUATIONS: Final = 64
"""How many frames one header block may take beyond its first (CVE-2024-27316)."""


@dataclass(slots=True)
class _Block:
    """A header block of which more frames have to come."""

    number: int
    ended: bool
    data: bytearray
    frames: int = 0


class Intake(Connection[H, C], ABC, Generic[H, C]):
    """The half of a connection that takes bytes, the same for both ends."""

    def __init__(
        self,
        bounds: Bounds,
        reader: HeadReader[H],
        listener: Listener[H, C],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(bounds, reader, listener, clock)
        self._rest = b""
        self._clock = clock
        self.now = clock()
        """When the last bytes came."""
        self.is_settled = False
        """Whether the other end's first SETTINGS have come."""
        self._left = bounds.connection_window
        self._received = 0
        self._half = bounds.connection_window // 2
        self._block: _Block | None = None
        self._then: Callable[[], None] | None = None

    @property
    def is_suspended(self) -> bool:
        """Whether frames that came wait for `resume`."""
        return self._then is not None

    @property
    def held(self) -> int:
        """About how many bytes are kept of what came in part, and of headers that came before."""
        block = 0 if self._block is None else len(self._block.data)
        resets = len(self._resets) * RESET_BYTES
        return len(self._rest) + block + resets + self._reader.held

    def receive(self, data: bytes) -> None:
        """Take bytes that came, and call the listener for what is whole with them."""
        if self._stops:
            if not self.has_failed:
                self._rest += data
            return
        self.now = self._clock()
        try:
            self._read(self._rest + data if self._rest else data)
        except ConnectionFault as fault:
            self.fail(fault)

    def lose(self) -> None:
        """Forget all streams, and what has come in part."""
        super().lose()
        self._rest = b""
        self._block = None
        self._then = None

    def suspend(self, then: Callable[[], None]) -> None:
        """Take no frames until `resume`, which does `then` first."""
        self._then = then
        self._stops = True

    def resume(self) -> None:
        """Take frames again, those that came meanwhile with the next `receive`."""
        then, self._then = self._then, None
        self._stops = self.has_failed
        if then is not None and not self.has_failed:
            then()

    @abstractmethod
    def _preface(self, data: bytes, /) -> int:
        """Return how many of the bytes come before a frame; -1 where they have not all come.

        Raises ConnectionFault.
        """

    @abstractmethod
    def _take_block(self, number: int, block: bytes, *, ended: bool) -> None:
        """Take a whole header block of a stream. Raises StreamFault, ConnectionFault, Malformed."""

    @abstractmethod
    def _take_other(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        """Take any other frame. Raises StreamFault and ConnectionFault."""

    @abstractmethod
    def _is_idle(self, number: int) -> bool:
        """Return whether the stream has not been begun."""

    def _read(self, data: bytes) -> None:  # noqa: C901 - each call more would cost every frame
        position, size = self._preface(data), len(data)
        if position < 0:
            self._rest = data
            return
        unpack = frames.HEAD.unpack_from
        while size - position >= FRAME_HEAD_BYTES:
            high, low, kind, flags, number = unpack(data, position)
            length = high << 8 | low
            if length > LEAST_MAX_FRAME:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "the frame is too large")
            start = position + FRAME_HEAD_BYTES
            end = start + length
            if end > size:
                break
            position = end
            number &= GREATEST_STREAM
            if not self.is_settled or self._block is not None:
                self._expect(kind, flags, number)
            try:
                if kind == DATA:
                    self._take_data(flags, number, data[start:end])
                elif kind == HEADERS and flags == END_HEADERS:
                    position = self._take_call(number, data, start, end)
                elif kind == HEADERS:
                    self._take_headers(flags, number, data[start:end])
                else:
                    self._take_other(kind, flags, number, data[start:end])
            except StreamFault as fault:
                self._fault(fault)
            except Malformed as error:
                self._fault(StreamFault(number, ErrorCode.PROTOCOL_ERROR, str(error)))
            if self._stops:
                break
        self._rest = data[position:]

    def _take_call(self, number: int, data: bytes, start: int, end: int) -> int:
        """Take a HEADERS that has data behind it, and that data if it is here and the last.

        Return where the next frame begins.
        """
        self._take_headers(END_HEADERS, number, data[start:end])
        return end

    def _expect(self, kind: int, flags: int, number: int) -> None:
        """Raise ConnectionFault where another frame has to come first (sections 3.4, 6.10)."""
        if not self.is_settled:
            if kind != SETTINGS or flags & ACK:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the first frame is no SETTINGS")
        elif self._block is not None and (kind != CONTINUATION or number != self._block.number):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a header block was left unfinished")

    def _take_data(self, flags: int, number: int, payload: bytes) -> None:
        size = len(payload)
        self._count(size)
        if flags & PADDED:
            payload = unpadded(payload)
        stream = self.streams.get(number)
        if stream is None or stream.has_ended:
            self._check_gone(number)
            return
        stream.left -= size
        if stream.left < 0:
            words = "more data than was allowed"
            raise StreamFault(number, ErrorCode.FLOW_CONTROL_ERROR, words)
        if stream.to_come is not None:
            stream.to_come -= len(payload)
        ended = bool(flags & END_STREAM)
        if ended:
            if stream.to_come or stream.has_sent_all:
                self._end(stream)
            else:
                stream.has_ended = True
        elif not payload:
            self.patience.bear("empty frames of data")
        if size > len(payload):
            self.consumed(stream, size - len(payload))
        self._listener.data(stream, payload, ended=ended)

    def _count(self, size: int) -> None:
        """Count data against the connection's window, and open it again. Raises ConnectionFault."""
        self._left -= size
        if self._left < 0:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "more data than was allowed")
        self._received += size
        if self._received >= self._half:
            self.outlet.parts.append(frames.window_update(0, self._received))
            self._left += self._received
            self._received = 0

    def _take_headers(self, flags: int, number: int, payload: bytes) -> None:
        if number == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a header belongs to a stream")
        if flags & (PADDED | WITH_PRIORITY):
            payload = bare(flags, number, payload)
        ended = bool(flags & END_STREAM)
        if flags & END_HEADERS:
            self._take_block(number, payload, ended=ended)
        else:
            self._block = _Block(number, ended, bytearray(payload))

    def _take_continuation(self, flags: int, payload: bytes) -> None:
        block = self._block
        if block is None:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "no header block is unfinished")
        block.data += payload
        block.frames += 1
        if len(block.data) > self._bounds.header_bytes or block.frames > MAX_CONTINUATIONS:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "the header is too large")
        if flags & END_HEADERS:
            self._block = None
            self._take_block(block.number, bytes(block.data), ended=block.ended)

    def _check_gone(self, number: int) -> None:
        """Bear a frame for a stream that is over (section 5.1). Raises a fault where it is not."""
        if self._is_idle(number):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the stream was not begun")
        self.patience.bear("frames for streams that are over")
        if number not in self._resets:
            raise StreamFault(number, ErrorCode.STREAM_CLOSED, "the stream is over")

    def _begun(self, number: int) -> Stream[C]:
        """Open the stream of that number."""
        self.last = number
        stream: Stream[C] = Stream(number, self.theirs.initial_window_size, self._bounds.window)
        stream.since = self.now
        self.streams[number] = stream
        return stream

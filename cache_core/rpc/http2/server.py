"""The server's end of a connection."""

from typing import Final, Generic, NoReturn, TypeVar

from cache_core.rpc.http2.control import Control
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import (
    DATA,
    END_STREAM,
    FRAME_HEAD_BYTES,
    GREATEST_STREAM,
    PREFACE,
    ConnectionFault,
    ErrorCode,
    StreamFault,
)
from cache_core.rpc.http2.framing.fields import TRAILERS, Malformed, check
from cache_core.rpc.http2.framing.frames import HEAD
from cache_core.rpc.http2.listener import Head
from cache_core.rpc.http2.stream import Stream

H = TypeVar("H", bound=Head)
C = TypeVar("C")

KEPT_GAPS: Final = 16
"""How many gaps between the numbers of streams are known; an honest client leaves none."""


class ServerConnection(Control[H, C], Generic[H, C]):
    """A connection on which the other end asks; the reader's heads are those of requests.

    A request that was not read to its end when its answer is, is ended (section 8.1).
    """

    _has_preface = False
    _passed: tuple[range, ...] = ()
    _last_said = GREATEST_STREAM
    says_goodbye = False
    """Whether the other end was asked to begin no more streams."""
    refuses = False
    """Whether requests that come from now on are refused: the connection is about to end."""

    def _preface(self, data: bytes) -> int:
        if self._has_preface:
            return 0
        if not PREFACE.startswith(data[: len(PREFACE)]):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "it doesn't begin as HTTP/2 does")
        if len(data) < len(PREFACE):
            return -1
        self._has_preface = True
        return len(PREFACE)

    def _take_call(self, number: int, data: bytes, start: int, end: int) -> int:
        """Take a request's header with the one frame of data behind it, as nearly all are.

        So it takes 1 us less than frame by frame. All else goes that way.
        """
        behind = end + FRAME_HEAD_BYTES
        if number == self.last + 2 and number & 1 and not self.refuses and behind <= len(data):
            high, low, kind, flags, also = HEAD.unpack_from(data, end)
            last = behind + low
            if (
                also == number
                and kind == DATA
                and flags == END_STREAM
                and not high
                and last <= len(data)
                and low <= min(self._left, self._bounds.window)
                and self._received + low < self._half
                and len(self.streams) < self._bounds.streams
            ):
                self.last = number
                head, cut = self._reader.read(data[start:end])
                if head.content_length not in (None, low):
                    raise Malformed("the content is shorter or longer than its length says")
                self._left -= low
                self._received += low
                stream = self._begun(number)
                stream.has_ended = True
                self._listener.headers(stream, head, cut, ended=False)
                self._listener.data(stream, data[behind:last], ended=True)
                return int(last)
        return super()._take_call(number, data, start, end)

    def _take_block(self, number: int, block: bytes, *, ended: bool) -> None:
        if number > self.last and number & 1:
            if number > self.last + 2:
                self._passed = (*self._passed[-KEPT_GAPS:], range(self.last + 1, number))
            self.last = number
            head, cut = self._reader.read(block)
            if self.refuses or len(self.streams) >= self._bounds.streams:
                raise StreamFault(number, ErrorCode.REFUSED_STREAM, "too many streams")
            stream = self._begun(number)
            if head.content_length is not None:
                stream.to_come = head.content_length
            if ended:
                self._end(stream)
            self._listener.headers(stream, head, cut, ended=ended)
            return
        fields = self._reader.fields(block)
        open_stream = self.streams.get(number)
        if open_stream is None or open_stream.has_ended:
            if open_stream is None and number not in self._resets:
                self._refuse_number(number)
            self._check_gone(number)
        elif not ended:
            raise StreamFault(number, ErrorCode.PROTOCOL_ERROR, "a request has one header")
        else:
            check(fields, TRAILERS)
            self._end(open_stream)
            self._listener.data(open_stream, b"", ended=True)

    def _refuse_number(self, number: int) -> NoReturn:
        """Raise ConnectionFault for a header whose stream is over, or was passed over (5.1.1)."""
        if self._is_idle(number) or any(number in passed for passed in self._passed):
            words = "a new stream's number is odd, and higher than those before"
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, words)
        raise ConnectionFault(ErrorCode.STREAM_CLOSED, "the stream is over")

    def goaway(self, last: int = GREATEST_STREAM) -> None:
        """Ask the other end to begin no more streams; those above `last` are not answered."""
        self.says_goodbye = True
        self._last_said = min(last, self._last_said)
        self.outlet.parts.append(frames.goaway(self._last_said, ErrorCode.NO_ERROR))

    def answered(self, stream: Stream[C]) -> None:
        """Note that all of the answer to a request that has ended was sent."""
        self.patience.work()
        stream.is_closed = stream.has_sent_all = True
        stream.call = None  # else each call is a circle that only the collector frees
        self.streams.pop(stream.number, None)

    def _is_idle(self, number: int) -> bool:
        return number > self.last or not number & 1

    def _last_taken(self) -> int:
        return min(self.last, self._last_said)

    def _sent(self, stream: Stream[C]) -> None:
        self.patience.work()
        if stream.has_ended:
            self.close(stream)
        else:
            self.reset(stream, ErrorCode.NO_ERROR)
        stream.call = None  # as above

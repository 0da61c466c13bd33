"""The client's end of a connection."""

from typing import Final, Generic, TypeVar

from cache_core.rpc.http2.control import Control
from cache_core.rpc.http2.framing.codes import (
    GREATEST_STREAM,
    PREFACE,
    ConnectionFault,
    ErrorCode,
    StreamFault,
)
from cache_core.rpc.http2.listener import ResponseHead
from cache_core.rpc.http2.stream import Stream

H = TypeVar("H", bound=ResponseHead)
C = TypeVar("C")

LEAST_STREAMS: Final = 100
"""How many streams every end should take at a time (RFC 9113, section 6.5.2)."""


class ClientConnection(Control[H, C], Generic[H, C]):
    """A connection on which this end asks; the reader's heads are those of answers and trailers."""

    kept_resets = 2048
    """Of a client many calls may end at once, with all their answers on their way."""

    @property
    def has_room(self) -> bool:
        """Whether the other end takes one more stream at this time.

        Until it has said how many it takes, it is trusted to take as many as all ends should.
        """
        most = self.theirs.max_concurrent_streams if self.is_settled else LEAST_STREAMS
        return len(self.streams) < most

    @property
    def is_spent(self) -> bool:
        """Whether no stream can be begun any more: the numbers are used up."""
        return self.last + 2 > GREATEST_STREAM

    def begin(self) -> None:
        """Send what goes first."""
        self.theirs.enable_push = 0
        self.outlet.parts.append(PREFACE)
        super().begin()

    def request(self, block: bytes, call: C) -> Stream[C]:
        """Begin a stream by the header in `block`; `call` is whose it is."""
        stream = self._begun(self.last + 2 if self.last else 1)
        stream.call = call
        self.outlet.headers(stream, block)
        return stream

    def _preface(self, _data: bytes) -> int:
        return 0

    def _take_settings(self, flags: int, payload: bytes) -> None:
        super()._take_settings(flags, payload)
        if self.theirs.enable_push:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a server takes no pushes")

    def _take_block(self, number: int, block: bytes, *, ended: bool) -> None:
        stream = self.streams.get(number)
        if stream is None or stream.has_ended:
            self._reader.fields(block)
            self._check_gone(number)
            return
        head, cut = self._reader.read(block)
        if head.status is None:
            if not ended or not stream.has_head:
                words = "trailers come behind a header, and end a stream"
                raise StreamFault(number, ErrorCode.PROTOCOL_ERROR, words)
        elif stream.has_head:
            raise StreamFault(number, ErrorCode.PROTOCOL_ERROR, "an answer has one header")
        elif head.status < 200:
            if ended:
                raise StreamFault(number, ErrorCode.PROTOCOL_ERROR, "a first answer is no last")
            self.patience.bear("first answers")
            return
        else:
            stream.has_head = True
            stream.to_come = head.content_length
        if ended:
            self.patience.work()
            self._end(stream)
        self._listener.headers(stream, head, cut, ended=ended)

    def _check_gone(self, number: int) -> None:
        if number in self._resets:
            self.patience.bear("frames for streams that are over", 0.5)
        else:
            super()._check_gone(number)

    def _is_idle(self, number: int) -> bool:
        return number > self.last or not number & 1

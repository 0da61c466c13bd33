"""A connection as it stands, and the orders that it takes."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import (
    DEFAULT_WINDOW,
    ConnectionFault,
    ErrorCode,
    StreamFault,
)
from cache_core.rpc.http2.framing.head_reader import HeadReader
from cache_core.rpc.http2.framing.settings import Settings
from cache_core.rpc.http2.listener import Head, Listener
from cache_core.rpc.http2.outlet import Outlet
from cache_core.rpc.http2.patience import Patience
from cache_core.rpc.http2.stream import Stream

H = TypeVar("H", bound=Head)
C = TypeVar("C")


class Connection(Generic[H, C]):
    """One end of a connection; `outlet.parts` are to be written.

    `clock` tells seconds, and never goes back. The `listener` is called in the order of what came.
    Once it was told that the connection failed, nothing more is taken.
    """

    kept_resets = 256
    """How many of the streams that this end has reset are known: what comes for them is borne."""

    def __init__(
        self,
        bounds: Bounds,
        reader: HeadReader[H],
        listener: Listener[H, C],
        clock: Callable[[], float],
    ) -> None:
        self.streams: dict[int, Stream[C]] = {}
        self.theirs = Settings()
        self.patience = Patience(clock)
        self.outlet: Outlet[C] = Outlet(
            self.theirs, self.patience, clock, self._sent, listener.drained
        )
        self.has_failed = False
        self._stops = False
        """Whether no frames are taken: it has failed, or is suspended."""
        self.last = 0
        """The highest stream that was begun."""
        self._bounds = bounds
        self._reader = reader
        self._listener = listener
        self._resets: OrderedDict[int, None] = OrderedDict()

    def begin(self) -> None:
        """Send what goes first."""
        self.outlet.parts.append(frames.settings(self._bounds.settings()))
        more = self._bounds.connection_window - DEFAULT_WINDOW
        if more > 0:
            self.outlet.parts.append(frames.window_update(0, more))

    def fail(self, fault: ConnectionFault) -> None:
        """End the connection, and tell the other end why."""
        if not self.has_failed:
            self.has_failed = self._stops = True
            self.outlet.parts.append(frames.goaway(self._last_taken(), fault.code, str(fault)))
            self._listener.failed(fault)

    def reset(self, stream: Stream[C], code: ErrorCode) -> None:
        """End `stream` at once."""
        if not stream.is_closed:
            self._reset(stream.number, code)
            self.close(stream)

    def give_up(self, stream: Stream[C], code: ErrorCode, words: str) -> None:
        """End `stream` at once, and tell the listener."""
        self.reset(stream, code)
        self._listener.reset(stream, code, words)

    def ping(self, data: bytes) -> None:
        """Ask the other end to send these eight bytes back."""
        self.outlet.parts.append(frames.ping(data, ack=False))

    def consumed(self, stream: Stream[C], size: int) -> None:
        """Let the other end send `size` bytes more on `stream`, as so many were taken from it."""
        stream.received += size
        if stream.received * 2 >= self._bounds.window and not (
            stream.has_ended or stream.is_closed
        ):
            self.outlet.parts.append(frames.window_update(stream.number, stream.received))
            stream.left += stream.received
            stream.received = 0

    def _last_taken(self) -> int:
        """Return the highest stream of the other end's that may be answered: a server has none."""
        return 0

    def _sent(self, stream: Stream[C]) -> None:
        """Note that all of `stream` has been sent."""
        if stream.has_ended:
            self.close(stream)

    def _end(self, stream: Stream[C]) -> None:
        """Note that the other end has sent all of `stream`. Raises StreamFault."""
        if stream.to_come:
            words = "the content is shorter or longer than its length says"
            raise StreamFault(stream.number, ErrorCode.PROTOCOL_ERROR, words)
        stream.has_ended = True
        if stream.has_sent_all and not stream.queued:
            self.close(stream)

    def close(self, stream: Stream[C]) -> None:
        """Forget `stream`: nothing is sent or taken for it any more."""
        stream.is_closed = True
        self.streams.pop(stream.number, None)
        if stream.queue is not None:
            self.outlet.drop(stream)

    def lose(self) -> None:
        """Forget all streams, and the listener: nothing is sent or taken any more.

        Without it, what they still had to send, and the connection itself, would stay until the
        collector comes: 7 KB of each connection that has ended.
        """
        for stream in list(self.streams.values()):
            stream.call = None
            self.close(stream)
        self.has_failed = self._stops = True
        self.outlet.forget()
        del self._listener

    def _fault(self, fault: StreamFault) -> None:
        """End the stream of which a rule was broken. Raises ConnectionFault after many of them."""
        stream = self.streams.get(fault.stream)
        if stream is None:
            self._reset(fault.stream, fault.code)
        else:
            self.give_up(stream, fault.code, str(fault))
        self.patience.bear("broken streams")

    def _reset(self, number: int, code: ErrorCode) -> None:
        self.outlet.parts.append(frames.rst_stream(number, code))
        self._resets[number] = None
        if len(self._resets) > self.kept_resets:
            self._resets.popitem(last=False)

"""What an end sends: frames at once, data as far as the other end's windows let it."""

from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import (
    DATA,
    DEFAULT_WINDOW,
    END_STREAM,
    GREATEST_WINDOW,
    ConnectionFault,
    ErrorCode,
    StreamFault,
)
from cache_core.rpc.http2.framing.settings import Settings
from cache_core.rpc.http2.patience import Patience
from cache_core.rpc.http2.stream import Stream

C = TypeVar("C")

WORTH_BYTES: Final = 1024
"""A frame of so much data makes up for what is borne; one of fewer bytes for its share."""

NO_TABLE: Final = b"\x20"
"""What says in a header block that the sender's table has no room (RFC 7541, section 6.3)."""

LARGE_BYTES: Final = 1 << 15
"""From here on, data is handed on as it is and not joined with what is around it."""

SHARE_BYTES: Final = 1 << 18
"""The most that one stream sends in a row while others wait for the same window."""


class Outlet(Generic[C]):
    """The sending half of a connection. `parts` are to be written, in their order.

    `theirs` is what the other end takes. `sent` is called for a stream whose end has been sent,
    `drained` for one whose queue has become empty.
    """

    def __init__(
        self,
        theirs: Settings,
        patience: Patience,
        clock: Callable[[], float],
        sent: Callable[[Stream[C]], None],
        drained: Callable[[Stream[C]], None],
    ) -> None:
        self.parts: list[bytes | memoryview] = []
        self.has_large = False
        """Whether one of the parts is so large that to copy it costs more than another call."""
        self.window = DEFAULT_WINDOW
        """How many bytes of data the other end takes over all streams."""
        self.queued = 0
        """How many bytes of data wait for windows."""
        self.unwritten = 0
        """How many bytes of data did not, but may wait in `parts` or where those were handed on."""
        self.is_fresh = True
        """Whether no header was sent: the first one says that this end keeps no table."""
        self._theirs = theirs
        self._patience = patience
        self._clock = clock
        self._sent = sent
        self._drained = drained
        self._waiting: dict[int, Stream[C]] = {}

    def take(self) -> bytes:
        """Return what is to be written, and forget it."""
        written = b"".join(self.parts)
        self.clear()
        return written

    def clear(self) -> None:
        """Forget what is to be written, for it was."""
        self.parts = []
        self.has_large = False

    def forget(self) -> None:
        """Call nobody any more."""
        self._sent = self._drained = _pass

    def headers(self, stream: Stream[C], block: bytes, *, end: bool = False) -> None:
        """Send a header block; one that ends the stream goes behind all that is queued."""
        if end:
            stream.has_sent_all = True
            if stream.queued:
                stream.trailer = block
                return
        if self.is_fresh:
            self.is_fresh = False
            block = NO_TABLE + block
        self.parts.append(
            frames.headers(stream.number, block, end=end, max_frame=self._theirs.max_frame_size)
        )
        if end:
            self._sent(stream)

    def data(self, stream: Stream[C], data: bytes, *, end: bool = False) -> None:
        """Send `data` as far as the windows go, and queue the rest."""
        if end:
            stream.has_sent_all = True
        size = len(data)
        if size >= LARGE_BYTES:
            self.has_large = True
        if not stream.queued and (
            size <= stream.window and size <= self.window and size <= self._theirs.max_frame_size
        ):
            self.window -= size
            stream.window -= size
            self.unwritten += size
            head = frames.frame_head(DATA, END_STREAM if end else 0, stream.number, size)
            self.parts += (head, data)
            self._patience.work(min(1.0, size / WORTH_BYTES))
            if end:
                self._sent(stream)
            return
        if end:
            stream.trailer = b""
        if stream.queue is None:
            stream.queue = deque()
        stream.queue.append(data)
        stream.queued += size
        self.queued += size
        self._send_queued(stream)

    def drop(self, stream: Stream[C]) -> None:
        """Forget what `stream` still had to send."""
        self.queued -= stream.queued
        stream.queued = 0
        stream.queue = stream.trailer = None
        self._waiting.pop(stream.number, None)

    def grant(self, stream: Stream[C] | None, more: int) -> None:
        """Take note that the other end takes `more` bytes, of one stream or of the connection.

        Raises StreamFault and ConnectionFault.
        """
        if stream is None:
            self.window += more
            if self.window > GREATEST_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the window is too large")
            self._send_waiting()
            return
        stream.window += more
        if stream.window > GREATEST_WINDOW:
            words = "the window is too large"
            raise StreamFault(stream.number, ErrorCode.FLOW_CONTROL_ERROR, words)
        if stream.queued:
            self._send_queued(stream)

    def shift(self, streams: list[Stream[C]], by: int) -> None:
        """Change the windows of open streams by so many bytes. Raises ConnectionFault."""
        for stream in streams:
            stream.window += by
            if stream.window > GREATEST_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the window is too large")
        if by > 0:
            self._send_waiting()

    @property
    def waiting(self) -> int:
        """How many streams wait for a window."""
        return len(self._waiting)

    def stalled(self, seconds: float) -> list[Stream[C]]:
        """Return the streams of which the other end has taken nothing for `seconds`."""
        until = self._clock() - seconds
        return [stream for stream in self._waiting.values() if stream.waits_since <= until]

    def _send_waiting(self) -> None:
        """Send of all streams that wait, in turns, while the connection's window lets it."""
        while self.window > 0:
            able = [stream for stream in self._waiting.values() if stream.window > 0]
            if not able:
                return
            for stream in able:
                if self.window > 0:
                    self._send_queued(stream, SHARE_BYTES if len(able) > 1 else GREATEST_WINDOW)

    def _send_queued(self, stream: Stream[C], most: int = GREATEST_WINDOW) -> None:
        queue = stream.queue
        if queue is None:
            return
        largest = self._theirs.max_frame_size
        before = stream.queued
        while queue:
            open_bytes = max(0, min(stream.window, self.window, largest, most))
            size = min(len(queue[0]), open_bytes)
            if size < min(1, len(queue[0])):
                if stream.queued < before:  # the next turn is another's
                    self._waiting.pop(stream.number, None)
                self._waiting[stream.number] = stream
                if not stream.waits_since:
                    stream.waits_since = self._clock()
                return
            data = queue[0]
            if size == len(data):
                queue.popleft()
            else:
                # Copied: a slice would keep all of the message until its last byte is read.
                data, queue[0] = bytes(memoryview(data)[:size]), _rest(data, size)
            most -= size
            stream.waits_since = 0.0
            stream.window -= size
            self.window -= size
            self.unwritten += size
            stream.queued -= size
            self.queued -= size
            is_last = not queue and stream.trailer == b""
            head = frames.frame_head(DATA, END_STREAM if is_last else 0, stream.number, size)
            self.parts += (head, data)
            self._patience.work(min(1.0, size / WORTH_BYTES))
        self._waiting.pop(stream.number, None)
        self._has_sent(stream)

    def _has_sent(self, stream: Stream[C]) -> None:
        trailer, stream.trailer = stream.trailer, None
        if trailer:
            self.headers(stream, trailer, end=True)
        elif trailer is not None:
            self._sent(stream)
        else:
            self._drained(stream)


def _pass(_: object) -> None:
    """Do nothing."""


def _rest(data: bytes | memoryview, size: int) -> bytes | memoryview:
    """Return `data` without its first `size` bytes; the whole is kept while that is half of it."""
    view = memoryview(data)
    rest = view[size:]
    return rest if 2 * len(rest) > memoryview(view.obj).nbytes else bytes(rest)

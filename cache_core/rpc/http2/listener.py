"""Who hears what comes on a connection."""

from typing import Protocol, TypeVar

from cache_core.rpc.http2.framing.codes import ConnectionFault, ErrorCode
from cache_core.rpc.http2.stream import Stream

C = TypeVar("C")
H_contra = TypeVar("H_contra", contravariant=True)


class Head(Protocol):
    """What a header block means to the end that takes it."""

    content_length: int | None
    """How many bytes of data it announces, if it does."""


class ResponseHead(Head, Protocol):
    """What a header block means to the client."""

    status: int | None
    """The HTTP status; None for trailers."""


class Listener(Protocol[H_contra, C]):
    """The calls by which a connection tells what came, in its order.

    Calls take the place of a list of events, because each event would cost 0.2 us to make. A
    listener may give orders to the connection while it is called.
    """

    def headers(self, stream: Stream[C], head: H_contra, cut: bytes | None, *, ended: bool) -> None:
        """Take a stream's header, or at the client also its trailers.

        `cut` is the value of the field that is told apart from the head. `ended` tells that the
        other end sends nothing more on it.
        """

    def data(self, stream: Stream[C], data: bytes, *, ended: bool) -> None:
        """Take data of a stream; the other end may send more of it once it is `consumed`."""

    def reset(self, stream: Stream[C], code: ErrorCode, words: str, /) -> None:
        """Learn that the stream is over before its end; `words` only where this end ended it."""

    def drained(self, stream: Stream[C]) -> None:
        """Learn that all data of the stream that waited has been sent."""

    def goaway(self, last: int, code: int, words: bytes, /) -> None:
        """Learn that the other end answers no stream above `last`, and why."""

    def pong(self, data: bytes, /) -> None:
        """Learn that the other end has answered the ping of this data."""

    def failed(self, fault: ConnectionFault) -> None:
        """Learn that the other end broke a rule, so that the connection is over."""

"""The two ends of a connection as a test has them, with a listener that keeps what it hears."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

from fakes import FakeClock
from http2.field_writer import answer, request, trailers
from http2.frame_writer import GREETING, HELLO, Frame, read_frames

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.client import ClientConnection
from cache_core.rpc.http2.framing.codes import GOAWAY, RST_STREAM, ConnectionFault, ErrorCode
from cache_core.rpc.http2.framing.fields import (
    REQUEST,
    RESPONSE,
    TRAILERS,
    Fields,
    Malformed,
    check,
    content_length,
)
from cache_core.rpc.http2.framing.head_reader import HeadReader
from cache_core.rpc.http2.server import ServerConnection
from cache_core.rpc.http2.stream import Stream

if TYPE_CHECKING:
    from cache_core.rpc.http2.connection import Connection

CUT: Final = b"grpc-timeout"
"""The field that the tests' readers tell apart from a head."""

Report: TypeAlias = tuple[Any, ...]


class Fault(NamedTuple):
    """An error that an end told the other, of a stream or of the connection."""

    whose: str
    code: ErrorCode


def of_stream(code: ErrorCode) -> Fault:
    return Fault("stream", code)


def of_connection(code: ErrorCode) -> Fault:
    return Fault("connection", code)


class AskedHead:
    """A request's header: its fields, once they were checked."""

    def __init__(self, fields: Fields) -> None:
        check(fields, REQUEST)
        self.content_length = content_length(fields)
        self.fields = tuple(fields)


class AnsweredHead:
    """An answer's header or trailers."""

    def __init__(self, fields: Fields) -> None:
        status = dict(fields).get(b":status")
        check(fields, TRAILERS if status is None else RESPONSE)
        if status is not None and not (len(status) == 3 and status.isdigit()):
            raise Malformed("the status is no number")
        self.status = None if status is None else int(status)
        self.content_length = content_length(fields)
        self.fields = tuple(fields)


Head: TypeAlias = AskedHead | AnsweredHead

H = TypeVar("H")


class NotingReader(HeadReader[H]):
    """A HeadReader that keeps the words about headers that are malformed."""

    def __init__(self, make: Callable[[Fields], H], bounds: Bounds) -> None:
        super().__init__(make, CUT, bounds.header_bytes)
        self.words: list[str] = []

    def read(self, block: bytes) -> tuple[H, bytes | None]:
        try:
            return super().read(block)
        except Malformed as error:
            self.words.append(str(error))
            raise


class Heard:
    """A Listener that keeps what it hears, and takes data as soon as it comes.

    `asked` is called for each request that has ended, or each answer, with its stream.
    """

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.connection: Connection[Any, None] | None = None
        self.asked: Callable[[Stream[None]], None] = lambda _: None
        self.takes = True
        """Whether data is taken as soon as it comes."""

    def headers(self, stream: Stream[None], head: Head, cut: bytes | None, *, ended: bool) -> None:
        self.reports.append(("headers", stream.number, head.fields, cut, ended))
        if ended:
            self.asked(stream)

    def data(self, stream: Stream[None], data: bytes, *, ended: bool) -> None:
        self.reports.append(("data", stream.number, data, ended))
        if self.connection is not None and self.takes:
            self.connection.consumed(stream, len(data))
        if ended:
            self.asked(stream)

    def reset(self, stream: Stream[None], code: ErrorCode, words: str) -> None:
        self.reports.append(("reset", stream.number, code, words))

    def drained(self, stream: Stream[None]) -> None:
        self.reports.append(("drained", stream.number))

    def goaway(self, last: int, code: int, words: bytes) -> None:
        self.reports.append(("goaway", last, code, words))

    def pong(self, data: bytes) -> None:
        self.reports.append(("pong", data))

    def failed(self, fault: ConnectionFault) -> None:
        self.reports.append(("failed", fault.code, str(fault)))

    def bodies(self) -> dict[int, bytes]:
        """Return all data of each stream."""
        found: dict[int, bytes] = {}
        for report in self.reports:
            if report[0] == "data":
                found[report[1]] = found.get(report[1], b"") + report[2]
        return found


class End:
    """What both ends have in a test: a listener, a clock, and the frames that were sent."""

    connection: ServerConnection[AskedHead, None] | ClientConnection[AnsweredHead, None]
    reader: NotingReader[Any]

    def __init__(self) -> None:
        self.heard = Heard()
        self.clock = FakeClock()
        self.sent: list[Frame] = []

    def takes(self, data: bytes) -> list[Frame]:
        """Have it take `data`, and return the frames that it sends on it."""
        self.connection.receive(data)
        return self.sends()

    def sends(self) -> list[Frame]:
        """Return the frames that wait to be written, and keep them in `sent`."""
        found = read_frames(self.connection.outlet.take())
        self.sent += found
        return found

    @property
    def fault(self) -> Fault | None:
        """The first error that it told the other end; None if there was none."""
        self.sends()
        for each in self.sent:
            if each.kind == RST_STREAM and each.number:
                return of_stream(ErrorCode(each.number))
            if each.kind == GOAWAY and int.from_bytes(each.payload[4:8]):
                return of_connection(ErrorCode(int.from_bytes(each.payload[4:8])))
        return None


class ServerEnd(End):
    """A server's end; it answers each request as it ends if `answers`."""

    connection: ServerConnection[AskedHead, None]

    def __init__(
        self, bounds: Bounds | None = None, *, answers: bool = False, hello: bool = True
    ) -> None:
        super().__init__()
        bounds = bounds or Bounds()
        self.reader = NotingReader(AskedHead, bounds)
        self.connection = ServerConnection(bounds, self.reader, self.heard, self.clock)
        self.heard.connection = self.connection
        if answers:
            self.heard.asked = self.answer
        self.connection.begin()
        if hello:
            self.takes(HELLO)

    def answer(self, stream: Stream[None], body: bytes = b"") -> None:
        """Answer a request with `body`."""
        outlet = self.connection.outlet
        outlet.headers(stream, answer())
        if body:
            outlet.data(stream, body)
        outlet.headers(stream, trailers(), end=True)


class ClientEnd(End):
    """A client's end, on which `asks` requests have been made.

    Without a `greeting` of the server, what it said itself waits to be written.
    """

    connection: ClientConnection[AnsweredHead, None]

    def __init__(
        self, bounds: Bounds | None = None, *, asks: int = 1, greeting: bool = True
    ) -> None:
        super().__init__()
        bounds = bounds or Bounds(streams=0)
        self.reader = NotingReader(AnsweredHead, bounds)
        self.connection = ClientConnection(bounds, self.reader, self.heard, self.clock)
        self.heard.connection = self.connection
        self.connection.begin()
        if greeting:
            self.takes(GREETING)
        self.streams = [self.ask() for _ in range(asks)]
        if greeting:
            self.sends()

    def ask(self, body: bytes = b"", *, end: bool = True) -> Stream[None]:
        """Make a request with `body`."""
        stream = self.connection.request(request(), None)
        self.connection.outlet.data(stream, body, end=end)
        return stream

"""Where our ends and the library `h2` judge differently, and the sentence that we go by.

Each has an example of it. What is not named here is a fault of the same thing for both.
"""

import re
from typing import Final, NamedTuple

from http2.field_writer import answer, block, field, request, trailers
from http2.frame_writer import (
    GREETING,
    HELLO,
    data,
    frame,
    headers,
    priority,
    rst_stream,
    settings,
    window_update,
)
from http2.twin import Order, Step, Verdicts

from cache_core.rpc.http2.framing.codes import PRIORITY, Setting


class Difference(NamedTuple):
    """Two verdicts that differ, as patterns; `rule` is RFC 9113's where no other is named."""

    name: str
    rule: str
    ours: str
    theirs: str
    example: list[Step]
    is_client: bool = False

    def covers(self, verdicts: Verdicts) -> bool:
        """Whether it is this difference."""
        return all(
            re.fullmatch(pattern, said, re.DOTALL)
            for pattern, said in ((self.ours, verdicts.ours), (self.theirs, verdicts.theirs))
        )


ASKED: Final = headers(1, request())
ALTSVC: Final = 10
CONNECT_PROTOCOL: Final = 8

DIFFERENCES: Final = (
    Difference(
        "a malformed message is its stream's fault",
        "8.1.1: Malformed requests or responses that are detected MUST be treated as a stream "
        "error of type PROTOCOL_ERROR.",
        r"stream: PROTOCOL_ERROR.*",
        r"connection: ProtocolError .*([Hh]eader|Trailers|informational|content-length).*",
        [HELLO, headers(1, request((b"X", b"y")))],
    ),
    Difference(
        "data that is no longer as long as its header says",
        "8.1.1: A request or response that includes message content ... is also malformed if the "
        "value of a Content-Length header field does not equal the sum of the DATA frame payload "
        "lengths that form the content.",
        r"stream: PROTOCOL_ERROR the content .*",
        r"connection: InvalidBodyLengthError .*",
        [
            HELLO,
            headers(1, request((b"content-length", b"1")), end=False),
            data(1, b"ab", end=True),
        ],
    ),
    Difference(
        "data that is too long is found at its end",
        "8.1.1, the same: the sum is known once the stream has ended.",
        r"",
        r"connection: InvalidBodyLengthError .*",
        [HELLO, headers(1, request((b"content-length", b"1")), end=False), data(1, b"ab")],
    ),
    Difference(
        "a length, and no data at all",
        "8.1.1, the same.",
        r"stream: PROTOCOL_ERROR( the content .*)?",
        r"",
        [HELLO, headers(1, request((b"content-length", b"1")))],
    ),
    Difference(
        "a value with space around it",
        "8.2.1: A field value MUST NOT start or end with an ASCII whitespace character. But "
        "grpcio's error messages do, and gRPC gives them no other place.",
        r"",
        r"connection: ProtocolError Received header value surrounded by whitespace .*",
        [HELLO, headers(1, request((b"x", b" y ")))],
    ),
    Difference(
        "a host beside the authority",
        "8.3.1: A server SHOULD treat a request as malformed if it contains a Host header field "
        "that identifies an entity that differs. No host is looked at here.",
        r"",
        r"connection: ProtocolError Request header block has (mismatched|multiple) .*",
        [HELLO, headers(1, request((b"host", b"another")))],
    ),
    Difference(
        "neither authority nor host",
        "8.3.1: The authority is one where the scheme has a mandatory one. No host is looked at "
        "here.",
        r"",
        r"connection: ProtocolError Request header block does not have an :authority .*",
        [HELLO, headers(1, request(without=b":authority"))],
    ),
    Difference(
        "a PRIORITY by which a stream depends on itself",
        "RFC 7540, 5.3.1: An endpoint MUST treat this as a stream error of type PROTOCOL_ERROR.",
        r"stream: PROTOCOL_ERROR.*",
        r"connection: ProtocolError Stream \d+ may not depend on itself",
        [HELLO, priority(3, 3)],
    ),
    Difference(
        "a header by which a closed stream depends on itself",
        "4.3: A receiver MUST terminate the connection ... if it does not decompress a field "
        "block; so no such header is its stream's fault.",
        r"connection: PROTOCOL_ERROR the stream depends on itself",
        r"(stream: STREAM_CLOSED|connection: .*)?",
        [HELLO, ASKED, headers(1, request(), depends_on=1)],
    ),
    Difference(
        "a PRIORITY of another size",
        "6.3: A PRIORITY frame with a length other than 5 octets MUST be treated as a stream "
        "error of type FRAME_SIZE_ERROR.",
        r"stream: FRAME_SIZE_ERROR.*",
        r"connection: FrameDataMissingError .*",
        [HELLO, frame(PRIORITY, 0, 1, bytes(4))],
    ),
    Difference(
        "a stream's window that grows by nothing",
        "6.9: A receiver MUST treat the receipt of a WINDOW_UPDATE frame with a flow-control "
        "window increment of 0 as a stream error of type PROTOCOL_ERROR.",
        r"stream: PROTOCOL_ERROR.*",
        r"connection: ProtocolError Received frame with non-compliant data",
        [HELLO, ASKED, window_update(1, 0)],
    ),
    Difference(
        "a reset of a stream that was not begun",
        "6.4: If a RST_STREAM frame identifying an idle stream is received, the recipient MUST "
        "treat this as a connection error of type PROTOCOL_ERROR.",
        r"connection: PROTOCOL_ERROR the stream was not begun",
        r"",
        [HELLO, ASKED, rst_stream(3)],
    ),
    Difference(
        "an ALTSVC that is none",
        "5.5: Implementations MUST discard frames that have unknown or unsupported types.",
        r"",
        r"connection: FrameDataMissingError .*",
        [HELLO, frame(ALTSVC, 0, 1, b"x")],
    ),
    Difference(
        "RFC 8441's setting",
        "6.5.2: An endpoint that receives a SETTINGS frame with any unknown or unsupported "
        "identifier MUST ignore that setting.",
        r"",
        r"connection: InvalidSettingsValueError Setting 8 .*",
        [HELLO, settings({CONNECT_PROTOCOL: 2})],
    ),
    Difference(
        "a wrong setting that a later one takes back",
        "6.5.3: The values in the SETTINGS frame MUST be processed in the order they appear, "
        "with no other frame processing between values.",
        r"connection: [A-Z_]+ [A-Z_]+ can't be \d+",
        r"",
        [HELLO, settings([(Setting.ENABLE_PUSH, 9), (Setting.ENABLE_PUSH, 0)])],
    ),
    Difference(
        "more streams than were allowed",
        "5.1.2: An endpoint that receives a HEADERS frame that causes its advertised concurrent "
        "stream limit to be exceeded MUST treat this as a stream error.",
        r"stream: REFUSED_STREAM.*",
        r"connection: TooManyStreamsError .*",
        [HELLO, *(headers(number, request()) for number in (1, 3, 5, 7, 9))],
    ),
    Difference(
        "what was on its way when a stream was reset",
        "5.1: An endpoint that sends a RST_STREAM frame on a stream ... might receive any type of "
        "frame; ... it MUST ignore frames that it receives after that.",
        r"",
        r"stream: STREAM_CLOSED",
        [HELLO, headers(1, request(), end=False), Order("reset", 1), data(1, b"x")],
    ),
    Difference(
        "a header of a stream that the peer reset",
        "5.1.1: The identifier of a newly established stream MUST be numerically greater than all "
        "streams that the initiating endpoint has opened or reserved.",
        r"connection: STREAM_CLOSED the stream is over",
        r"stream: STREAM_CLOSED",
        [HELLO, ASKED, rst_stream(1), ASKED],
    ),
    Difference(
        "a header of an answer that has ended",
        "5.1: An endpoint MAY treat receipt of any other type of frame on a closed stream as a "
        "connection error of type STREAM_CLOSED; and need not.",
        r"stream: STREAM_CLOSED.*",
        r"connection: StreamClosedError .*",
        [GREETING, Order("ask", 0), *[headers(1, answer())] * 2],
        is_client=True,
    ),
    Difference(
        "data before the header",
        "8.1: An HTTP message consists of one HEADERS frame, then DATA. The listener, which knows "
        "of the call whether its header has come, resets the stream.",
        r"",
        r"connection: ProtocolError cannot receive data before headers",
        [GREETING, Order("ask", 0), data(1, b"x")],
        is_client=True,
    ),
    Difference(
        "a malformed answer is its stream's fault",
        "8.1.1: the same as for requests.",
        r"stream: PROTOCOL_ERROR.*",
        r"connection: ProtocolError .*([Hh]eader|Trailers|content-length|END_STREAM).*",
        [GREETING, Order("ask", 0), headers(1, trailers())],
        is_client=True,
    ),
    Difference(
        "a length of an answer without data",
        "8.1.1, the same.",
        r"stream: PROTOCOL_ERROR the content .*",
        r"",
        [GREETING, Order("ask", 0), headers(1, answer((b"content-length", b"1")))],
        is_client=True,
    ),
    Difference(
        "a push whose header is not whole",
        "8.4: A client that has set this setting to 0 ... MUST treat the receipt of a PUSH_PROMISE "
        "frame as a connection error of type PROTOCOL_ERROR; whole or not.",
        r"connection: PROTOCOL_ERROR nothing may be pushed",
        r"",
        [GREETING, Order("ask", 0), frame(5, 0, 1, bytes((0, 0, 0, 2)))],
        is_client=True,
    ),
)

NO_TABLE_SAID: Final[list[Step]] = [
    HELLO,
    headers(
        1,
        block([(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/")])
        + field(b"host", b"n"),
    ),
]
"""What a client says that keeps no table and has not said so."""

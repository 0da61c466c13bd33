"""Where our ends and the library `h2` judge differently, and the sentence that we go by.

Each has an example of it. What is not named here is a fault of the same thing for both.
"""

from typing import Final

from http2.field_writer import answer, block, field, request
from http2.frame_writer import (
    GREETING,
    HELLO,
    continuation,
    data,
    frame,
    headers,
    priority,
    rst_stream,
    settings,
    window_update,
)
from http2.message_differences import OF_MESSAGES
from http2.twin import Difference, Order, Step

from cache_core.rpc.http2.framing.codes import (
    HEADERS,
    PADDED,
    PRIORITY,
    WITH_PRIORITY,
    Setting,
)

ASKED: Final = headers(1, request())
ALTSVC: Final = 10
CONNECT_PROTOCOL: Final = 8

OF_FRAMES: Final = (
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
        "a window update with the reserved bit",
        "6.9: The frame payload of a WINDOW_UPDATE frame is one reserved bit plus an unsigned "
        "31-bit integer; 4.1, of such a bit: it MUST be ignored when receiving.",
        r"",
        r"connection: ProtocolError Received frame with non-compliant data",
        [HELLO, window_update(0, 1 << 31 | 1)],
    ),
    Difference(
        "a header's frame of nothing but padding",
        "6.2: Padding that exceeds the size remaining for the field block fragment MUST be treated "
        "as a connection error of type PROTOCOL_ERROR. It may be as long.",
        r"(stream: .*)?",
        r"connection: ProtocolError Received frame with invalid padding.",
        [HELLO, frame(HEADERS, PADDED, 1, b"\7" + bytes(7))],
    ),
    Difference(
        "padding that reaches into a header's priority",
        "6.2, the same.",
        r"connection: PROTOCOL_ERROR more padding than payload",
        r"(stream: .*)?",
        [HELLO, frame(HEADERS, PADDED | WITH_PRIORITY, 1, b"\3" + bytes(7))],
    ),
    Difference(
        "a header that is too large before its end",
        "10.5: An endpoint MAY treat activity that is suspicious as a connection error of type "
        "ENHANCE_YOUR_CALM.",
        r"connection: ENHANCE_YOUR_CALM the header is too large",
        r"",
        [
            HELLO,
            headers(1, request((b"long", bytes(2_000))), whole=False),
            continuation(1, whole=False),
        ],
    ),
    Difference(
        "a continuation of a closed stream that nothing began",
        "6.10: A CONTINUATION frame MUST be preceded by a HEADERS, PUSH_PROMISE or CONTINUATION "
        "frame without the END_HEADERS flag set. A recipient that observes violation of this rule "
        "MUST respond with a connection error of type PROTOCOL_ERROR.",
        r"connection: PROTOCOL_ERROR no header block is unfinished",
        r"stream: STREAM_CLOSED",
        [HELLO, ASKED, Order("reset", 1), headers(3, request()), continuation(1)],
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
        r"stream: (REFUSED_STREAM|PROTOCOL_ERROR).*",
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
        "a push whose header is not whole",
        "8.4: A client that has set this setting to 0 ... MUST treat the receipt of a PUSH_PROMISE "
        "frame as a connection error of type PROTOCOL_ERROR; whole or not.",
        r"connection: PROTOCOL_ERROR nothing may be pushed",
        r"",
        [GREETING, Order("ask", 0), frame(5, 0, 1, bytes((0, 0, 0, 2)))],
        is_client=True,
    ),
)

DIFFERENCES: Final = (*OF_MESSAGES, *OF_FRAMES)

NO_TABLE_SAID: Final[list[Step]] = [
    HELLO,
    headers(
        1,
        block([(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/")])
        + field(b"host", b"n"),
    ),
]
"""What a client says that keeps no table and has not said so."""

"""Messages that our ends and the library `h2` judge differently: their fields and lengths."""

from typing import Final

from http2.field_writer import CALL, answer, block, request, trailers
from http2.frame_writer import GREETING, HELLO, data, headers
from http2.twin import Difference, Order

OF_MESSAGES: Final = (
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
        r"stream: PROTOCOL_ERROR the content .*",
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
        "a cookie before the fields that are first",
        "8.3: All pseudo-header fields MUST appear in a field block before all regular field "
        "lines. Here h2 joins the cookies, and puts them last, before it looks.",
        r"stream: PROTOCOL_ERROR b':[a-z]+' comes behind other fields",
        r"",
        [HELLO, headers(1, block([(b"cookie", b"a=b"), *CALL]))],
    ),
    Difference(
        "the field that is told apart, twice",
        "RFC 9110, 5.3: A sender MUST NOT generate multiple field lines with the same name in a "
        "message ... unless that field's definition allows multiple field line values to be "
        "recombined as a comma-separated list.",
        r"stream: PROTOCOL_ERROR b'grpc-timeout' is there twice",
        r"",
        [HELLO, headers(1, request(*[(b"grpc-timeout", b"1S")] * 2))],
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
)

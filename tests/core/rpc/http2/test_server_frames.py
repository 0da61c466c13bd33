"""What a server says to frames that break a rule, after the cases of h2spec, section by section."""

from typing import Final, NamedTuple

import pytest
from http2.ends import Fault, ServerEnd, of_connection, of_stream
from http2.field_writer import request
from http2.frame_writer import (
    HELLO,
    continuation,
    data,
    frame,
    goaway,
    headers,
    ping,
    priority,
    push_promise,
    rst_stream,
    settings,
    settings_ack,
    window_update,
)

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import (
    ACK,
    CONTINUATION,
    DATA,
    GOAWAY,
    HEADERS,
    LEAST_MAX_FRAME,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    ErrorCode,
    Setting,
)

REQUEST: Final = request()
HALF, REST = REQUEST[:10], REQUEST[10:]
MORE_THAN_A_FRAME: Final = bytes(LEAST_MAX_FRAME + 1)
UNKNOWN: Final = 0xBE
MOST: Final = (1 << 31) - 1

PROTOCOL = of_connection(ErrorCode.PROTOCOL_ERROR)
SIZE = of_connection(ErrorCode.FRAME_SIZE_ERROR)
FLOW = of_connection(ErrorCode.FLOW_CONTROL_ERROR)
CLOSED = of_connection(ErrorCode.STREAM_CLOSED)
STREAM_PROTOCOL = of_stream(ErrorCode.PROTOCOL_ERROR)
STREAM_SIZE = of_stream(ErrorCode.FRAME_SIZE_ERROR)
STREAM_CLOSED = of_stream(ErrorCode.STREAM_CLOSED)
STREAM_FLOW = of_stream(ErrorCode.FLOW_CONTROL_ERROR)


class Case(NamedTuple):
    """What comes after a preface and SETTINGS, and the fault that it is, None for none.

    The sections are those of RFC 9113, or where said of RFC 7540, which it took the place of.
    """

    section: str
    what: str
    said: bytes
    fault: Fault | None


OPEN: Final = headers(1, REQUEST, end=False)
ASKED: Final = headers(1, REQUEST)
BEGUN: Final = headers(1, HALF, whole=False)

CASES: Final = (
    Case("4.1", "a frame of an unknown kind", frame(UNKNOWN, 0, 0, b"x"), None),
    Case("4.1", "an undefined flag", frame(PING, 0xFE, 0, b"12345678"), None),
    Case("4.1", "flags of other kinds", frame(SETTINGS, PADDED | WITH_PRIORITY, 0), None),
    Case("4.1", "the reserved bit", frame(PING, 0, 1 << 31, b"12345678"), None),
    Case("4.2", "the largest frame", OPEN + data(1, bytes(LEAST_MAX_FRAME)), None),
    Case("4.2", "data that is too large", OPEN + data(1, MORE_THAN_A_FRAME), SIZE),
    Case("4.2", "a header that is too large", headers(1, MORE_THAN_A_FRAME), SIZE),
    Case("4.2", "a header without room for its priority", frame(HEADERS, 0x25, 1, b"\0"), SIZE),
    Case("4.3", "a priority within a header", BEGUN + priority(1), PROTOCOL),
    Case("4.3", "a header within another", BEGUN + headers(3, REQUEST), PROTOCOL),
    Case("5.1", "idle: data", data(1, b"x"), PROTOCOL),
    Case("5.1", "idle: a reset", rst_stream(1), PROTOCOL),
    Case("5.1", "idle: a window update", window_update(1, 100), PROTOCOL),
    Case("5.1", "idle: a window update of nothing", window_update(1, 0), PROTOCOL),
    Case("5.1", "idle: a continuation", continuation(1, REQUEST), PROTOCOL),
    Case("5.1", "idle: a priority", priority(1), None),
    Case("5.1", "half closed: data", ASKED + data(1, b"x"), STREAM_CLOSED),
    Case("5.1", "half closed: a header", ASKED + headers(1, REQUEST), STREAM_CLOSED),
    Case("5.1", "half closed: a continuation", ASKED + continuation(1, REQUEST), PROTOCOL),
    Case("5.1", "half closed: a window update", ASKED + window_update(1, 9), None),
    Case("5.1", "half closed: a priority", ASKED + priority(1), None),
    Case("5.1", "half closed: a reset", ASKED + rst_stream(1), None),
    Case("5.1", "reset: data", OPEN + rst_stream(1) + data(1, b"x"), STREAM_CLOSED),
    Case("5.1", "reset: a header", OPEN + rst_stream(1) + headers(1, REQUEST), CLOSED),
    Case("5.1", "reset: a continuation", OPEN + rst_stream(1) + continuation(1), PROTOCOL),
    Case("5.1", "reset: a window update", OPEN + rst_stream(1) + window_update(1, 9), None),
    Case("5.1", "reset: a priority", OPEN + rst_stream(1) + priority(1), None),
    Case("5.1.1", "an even stream", headers(2, REQUEST), PROTOCOL),
    Case("5.1.1", "a lower stream", headers(5, REQUEST) + headers(3, REQUEST), PROTOCOL),
    Case("5.1.1", "a stream that was passed over", headers(5, REQUEST) + headers(1, b""), PROTOCOL),
    Case("5.1.1", "streams with gaps", headers(5, REQUEST) + headers(99, REQUEST), None),
    Case("5.3.1 (7540)", "a header by itself", headers(1, REQUEST, depends_on=1), PROTOCOL),
    Case("5.3.1 (7540)", "a priority by itself", ASKED + priority(1, 1), STREAM_PROTOCOL),
    Case("5.3.2", "a header with a priority", headers(1, REQUEST, depends_on=0), None),
    Case("5.5", "an unknown kind within a header", BEGUN + frame(UNKNOWN, 0, 0), PROTOCOL),
    Case("5.5", "an unknown kind on a stream", ASKED + frame(UNKNOWN, 0xFF, 1, b"x"), None),
    Case("6.1", "data of no stream", data(0, b"x"), PROTOCOL),
    Case("6.1", "padding as long as the data", OPEN + frame(DATA, PADDED, 1, b"\5____"), PROTOCOL),
    Case("6.1", "no room for padding's length", OPEN + frame(DATA, PADDED, 1), PROTOCOL),
    Case("6.1", "padded data", OPEN + data(1, b"x", padding=255), None),
    Case("6.1", "nothing but padding", OPEN + data(1, padding=0), None),
    Case("6.2", "a header, then a priority", BEGUN + priority(3), PROTOCOL),
    Case("6.2", "a header of no stream", headers(0, REQUEST), PROTOCOL),
    Case("6.2", "padding that reaches into the priority",
         frame(HEADERS, 0x2D, 1, b"\5" + bytes(9)), PROTOCOL),
    Case("6.2", "padding up to the priority", frame(HEADERS, 0x2D, 1, b"\4" + bytes(9)),
         STREAM_PROTOCOL),
    Case("6.2", "no room for the priority and padding",
         frame(HEADERS, 0x2D, 1, b"\1" + bytes(4)), SIZE),
    Case("6.2", "a header's padding", frame(HEADERS, PADDED | 5, 1, b"\x40" + REQUEST), PROTOCOL),
    Case("6.3", "a priority of no stream", priority(0), PROTOCOL),
    Case("6.3", "a priority of four bytes", ASKED + frame(PRIORITY, 0, 1, bytes(4)), STREAM_SIZE),
    Case("6.3", "a priority of six bytes", ASKED + frame(PRIORITY, 0, 1, bytes(6)), STREAM_SIZE),
    Case("6.4", "a reset of no stream", rst_stream(0), PROTOCOL),
    Case("6.4", "a reset of three bytes", OPEN + frame(RST_STREAM, 0, 1, bytes(3)), SIZE),
    Case("6.4", "a reset of five bytes", OPEN + frame(RST_STREAM, 0, 1, bytes(5)), SIZE),
    Case("6.5", "an ACK that says something", frame(SETTINGS, ACK, 0, bytes(6)), SIZE),
    Case("6.5", "settings of a stream", frame(SETTINGS, 0, 1), PROTOCOL),
    Case("6.5", "half a setting", frame(SETTINGS, 0, 0, bytes(3)), SIZE),
    Case("6.5.2", "a push that is neither 0 nor 1", settings({2: 2}), PROTOCOL),
    Case("6.5.2", "a window that is too large", settings({4: 1 << 31}), FLOW),
    Case("6.5.2", "frames that are too small", settings({5: LEAST_MAX_FRAME - 1}), PROTOCOL),
    Case("6.5.2", "frames that are too large", settings({5: 1 << 24}), PROTOCOL),
    Case("6.5.2", "an unknown setting", settings({0xFF: 1}), None),
    Case("6.5.2", "all that may be set", settings({1: 0, 2: 0, 3: 0, 4: MOST, 6: 0}), None),
    Case("6.5.3", "a setting that comes twice", settings([(4, 100), (4, 1)]), None),
    Case("6.5.3", "an ACK of nothing", settings_ack(), None),
    Case("6.6, 8.4", "a push", push_promise(1, 2, REQUEST), PROTOCOL),
    Case("6.6, 8.4", "a push of nothing", frame(PUSH_PROMISE, 0, 0), PROTOCOL),
    Case("6.7", "a ping", ping(), None),
    Case("6.7", "an answer that nobody asked for", ping(ack=True), None),
    Case("6.7", "a ping of a stream", frame(PING, 0, 1, bytes(8)), PROTOCOL),
    Case("6.7", "a ping of six bytes", ping(bytes(6)), SIZE),
    Case("6.7", "an answer of nine bytes", ping(bytes(9), ack=True), SIZE),
    Case("6.8", "a goodbye", goaway(), None),
    Case("6.8", "a goodbye of a stream", frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL),
    Case("6.8", "a goodbye of seven bytes", frame(GOAWAY, 0, 0, bytes(7)), SIZE),
    Case("6.9", "a window that grows by nothing", window_update(0, 0), PROTOCOL),
    Case("6.9", "a stream's that does", ASKED + window_update(1, 0), STREAM_PROTOCOL),
    Case("6.9", "a window update of three bytes", frame(WINDOW_UPDATE, 0, 0, bytes(3)), SIZE),
    Case("6.9", "the reserved bit", window_update(0, 1 << 31 | 9), None),
    Case("6.9.1", "a window that is too large", window_update(0, MOST) * 2, FLOW),
    Case("6.9.1", "a stream's that is", ASKED + window_update(1, MOST) * 2, STREAM_FLOW),
    Case("6.9.1", "the greatest window", window_update(0, MOST - 65_535), None),
    Case("6.9.2", "a setting's", ASKED + window_update(1, 9) + settings({4: MOST}), FLOW),
    Case("6.9.2", "a window below nothing", ASKED + settings({4: 0}), None),
    Case("6.10", "a header in three",
         BEGUN + continuation(1, whole=False) + continuation(1, REST), None),
    Case("6.10", "data within a header", BEGUN + data(1, b"x"), PROTOCOL),
    Case("6.10", "a ping within a header", BEGUN + ping(), PROTOCOL),
    Case("6.10", "a continuation of no stream", BEGUN + continuation(0, REST), PROTOCOL),
    Case("6.10", "a continuation of another", BEGUN + continuation(3, REST), PROTOCOL),
    Case("6.10", "a continuation of a whole header", ASKED + continuation(1), PROTOCOL),
    Case("6.10", "one too many", BEGUN + continuation(1, REST) + continuation(1), PROTOCOL),
    Case("6.10", "one of nothing", frame(CONTINUATION, 0, 0), PROTOCOL),
    Case("7", "a goodbye for an unknown reason", goaway(0, 0xFF), None),
    Case("7", "a reset for an unknown reason", OPEN + rst_stream(1, 0xFF), None),
)  # fmt: skip

ANSWERED: Final = (
    Case("5.1", "closed: data", ASKED + data(1, b"x"), STREAM_CLOSED),
    Case("5.1", "closed: a header", ASKED * 2, CLOSED),
    Case("5.1", "closed: a continuation", ASKED + continuation(1, REQUEST), PROTOCOL),
    Case("5.1", "closed: a reset", ASKED + rst_stream(1), None),
    Case("5.1", "closed: a window update", ASKED + window_update(1, 9), None),
    Case("5.1", "closed: a priority", ASKED + priority(1), None),
    Case("5.1.1", "a stream that was passed over", headers(3, REQUEST) + ASKED, PROTOCOL),
)

BEGINNINGS: Final = (
    Case("3.4", "the preface and settings", HELLO, None),
    Case("3.4", "another preface", b"INVALID CONNECTION PREFACE\r\n\r\n", PROTOCOL),
    Case("3.4", "HTTP/1.1", b"GET / HTTP/1.1\r\nHost: node\r\n\r\n", PROTOCOL),
    Case("3.4", "a preface with a mistake", PREFACE[:-1] + b"x" + settings(), PROTOCOL),
    Case("3.4", "a part of the preface", PREFACE[:-1], None),
    Case("3.4", "a request before settings", PREFACE + ASKED, PROTOCOL),
    Case("3.4", "an ACK before settings", PREFACE + settings_ack(), PROTOCOL),
    Case("3.4", "a ping before settings", PREFACE + ping() + settings(), PROTOCOL),
)


def name_of(case: Case) -> str:
    return f"{case.section}: {case.what}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_rule_and_what_breaks_it(case: Case) -> None:
    server = ServerEnd()
    server.takes(case.said)
    assert server.fault == case.fault
    is_over = case.fault is not None and case.fault.whose == "connection"
    assert server.connection.has_failed is is_over
    if not is_over:
        answers = server.takes(ping(b"still on"))
        assert [each.payload for each in answers if each.kind == PING] == [b"still on"]


@pytest.mark.parametrize("case", ANSWERED, ids=name_of)
def test_a_stream_that_was_answered_is_closed(case: Case) -> None:
    server = ServerEnd(answers=True)
    server.takes(case.said)
    assert server.fault == case.fault


@pytest.mark.parametrize("case", BEGINNINGS, ids=name_of)
def test_how_a_connection_begins(case: Case) -> None:
    server = ServerEnd(hello=False)
    server.takes(case.said)
    assert server.fault == case.fault


def test_a_server_begins_with_its_settings() -> None:
    """Section 3.4: they are the first frame; what was taken of the other's is said after that."""
    server = ServerEnd(hello=False)
    first, *_ = server.sends()
    assert (first.kind, first.flags, first.stream) == (SETTINGS, 0, 0)


def test_settings_are_acknowledged_at_once() -> None:
    """Section 6.5.3."""
    sent = ServerEnd().takes(settings({Setting.MAX_FRAME_SIZE: LEAST_MAX_FRAME}))
    assert [(each.kind, each.flags, each.payload) for each in sent] == [(SETTINGS, ACK, b"")]


def test_a_ping_is_answered_with_its_own_bytes_and_an_answer_is_not() -> None:
    """Section 6.7."""
    server = ServerEnd()
    (answer,) = server.takes(ping(b"8 bytes!"))
    assert (answer.kind, answer.flags, answer.payload) == (PING, ACK, b"8 bytes!")
    assert server.takes(ping(b"8 bytes!", ack=True)) == []


def test_more_streams_than_were_allowed_are_refused() -> None:
    """Section 5.1.2; a refused request may be made again, as nobody looked at it."""
    server = ServerEnd(Bounds(streams=3))
    server.takes(b"".join(headers(number, REQUEST) for number in (1, 3, 5)))
    assert server.fault is None
    (refusal,) = server.takes(headers(7, REQUEST))
    assert (refusal.kind, refusal.stream, refusal.number) == (
        RST_STREAM,
        7,
        ErrorCode.REFUSED_STREAM,
    )
    server.takes(rst_stream(1) + headers(9, REQUEST))
    assert [report[1] for report in server.heard.reports if report[0] == "headers"] == [1, 3, 5, 9]


def test_a_connection_that_failed_takes_nothing_more() -> None:
    """Section 5.4.1: the reason goes out first, and its last stream."""
    server = ServerEnd()
    (last,) = server.takes(ASKED + ping(bytes(6)) + headers(3, REQUEST))
    assert (last.kind, last.payload[:8]) == (GOAWAY, bytes((0, 0, 0, 1, 0, 0, 0, 6)))
    assert server.takes(headers(5, REQUEST) + ping()) == []
    assert [report[0] for report in server.heard.reports] == ["headers", "failed"]


def test_a_stream_that_was_said_to_be_past_the_last_stays_past_it() -> None:
    """Section 6.8: the last stream that one GOAWAY names is never below that of the next."""
    server = ServerEnd()
    server.takes(ASKED)
    server.connection.goaway(1)
    server.connection.refuses = True
    server.sends()
    *_, last = server.takes(headers(3, REQUEST) + ping(bytes(6)))
    assert (last.kind, last.payload[:8]) == (GOAWAY, bytes((0, 0, 0, 1, 0, 0, 0, 6)))


def test_a_header_that_breaks_a_rule_of_its_stream_is_still_read() -> None:
    """Section 4.3: a table that one end alone has changed means other fields to each of them."""
    server = ServerEnd()
    kept = REQUEST + b"\x40\1a\1b"
    server.takes(headers(1, b"\x40\1c\1d\x83") + headers(3, kept) + headers(5, REQUEST + b"\xbf"))
    assert server.fault == STREAM_PROTOCOL
    assert server.heard.reports[-1][2][-1] == (b"c", b"d")

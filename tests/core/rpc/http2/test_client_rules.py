"""What a client says to a server that breaks a rule (RFC 9113), section by section."""

from typing import Final, NamedTuple

import pytest
from http2.ends import ClientEnd, Fault, of_connection, of_stream
from http2.field_writer import ANSWER, answer, block, request, trailers
from http2.frame_writer import (
    GREETING,
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

from cache_core.rpc.http2.framing.codes import (
    CONTINUATION,
    DATA,
    GOAWAY,
    LEAST_MAX_FRAME,
    PADDED,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    ErrorCode,
)

PROTOCOL = of_connection(ErrorCode.PROTOCOL_ERROR)
SIZE = of_connection(ErrorCode.FRAME_SIZE_ERROR)
FLOW = of_connection(ErrorCode.FLOW_CONTROL_ERROR)
COMPRESSION = of_connection(ErrorCode.COMPRESSION_ERROR)
MALFORMED = of_stream(ErrorCode.PROTOCOL_ERROR)
STREAM_CLOSED = of_stream(ErrorCode.STREAM_CLOSED)
STREAM_FLOW = of_stream(ErrorCode.FLOW_CONTROL_ERROR)
MOST: Final = (1 << 31) - 1

HEAD: Final = headers(1, answer(), end=False)
TRAILERS: Final = headers(1, trailers())
WHOLE: Final = HEAD + data(1, b"x") + TRAILERS
EARLY: Final = headers(1, block([(b":status", b"103")]), end=False)


class Case(NamedTuple):
    """What a server says to one request, and the fault that it is, None for none."""

    section: str
    what: str
    said: bytes
    fault: Fault | None


def told(length: bytes) -> bytes:
    return headers(1, answer((b"content-length", length)), end=False)


CASES: Final = (
    Case("4.1", "an unknown kind", frame(0xBE, 0xFF, 1, b"x"), None),
    Case("4.2", "a frame that is too large", HEAD + data(1, bytes(LEAST_MAX_FRAME + 1)), SIZE),
    Case("4.3", "a block that is none", headers(1, b"\x80"), COMPRESSION),
    Case("4.3", "that, of an answer that is over", WHOLE + headers(1, b"\x80"), COMPRESSION),
    Case("5.1", "a header of a stream that was not begun", headers(3, answer()), PROTOCOL),
    Case("5.1", "a malformed one of such a stream", headers(3, b""), PROTOCOL),
    Case("5.1", "data of such a stream", data(3, b"x"), PROTOCOL),
    Case("5.1", "a reset of such a stream", rst_stream(3), PROTOCOL),
    Case("5.1", "a window of such a stream", window_update(3, 9), PROTOCOL),
    Case("5.1", "a priority of such a stream", priority(3), None),
    Case("5.1", "data of a stream that is over", WHOLE + data(1, b"x"), STREAM_CLOSED),
    Case("5.1", "a header of a stream that is over", WHOLE + TRAILERS, STREAM_CLOSED),
    Case("5.1", "a reset of a stream that is over", WHOLE + rst_stream(1, 0), None),
    Case("5.1", "a window of a stream that is over", WHOLE + window_update(1, 9), None),
    Case("5.1", "data of a stream that was reset", rst_stream(1) + data(1, b"x"), STREAM_CLOSED),
    Case("5.1.1", "a stream of the server's", headers(2, request()), PROTOCOL),
    Case("5.1.1", "data of such a stream", data(2, b"x"), PROTOCOL),
    Case("5.3.1 (7540)", "a priority by itself", priority(1, 1), MALFORMED),
    Case("6.1", "data of no stream", data(0, b"x"), PROTOCOL),
    Case("6.1", "more padding than data", HEAD + frame(DATA, PADDED, 1, b"\2_"), PROTOCOL),
    Case("6.2", "a header of no stream", headers(0, answer()), PROTOCOL),
    Case("6.3", "a priority of four bytes", frame(PRIORITY, 0, 1, bytes(4)),
         of_stream(ErrorCode.FRAME_SIZE_ERROR)),
    Case("6.4", "a reset of no stream", rst_stream(0), PROTOCOL),
    Case("6.4", "a reset of five bytes", frame(RST_STREAM, 0, 1, bytes(5)), SIZE),
    Case("6.5", "settings of a stream", frame(SETTINGS, 0, 1), PROTOCOL),
    Case("6.5", "an ACK that says something", frame(SETTINGS, 1, 0, bytes(6)), SIZE),
    Case("6.5", "half a setting", frame(SETTINGS, 0, 0, bytes(5)), SIZE),
    Case("6.5.2", "a server that asks for pushes", settings({2: 1}), PROTOCOL),
    Case("6.5.2", "a server that asks for none", settings({2: 0}), None),
    Case("6.5.2", "a push that is neither 0 nor 1", settings({2: 7}), PROTOCOL),
    Case("6.5.2", "a window that is too large", settings({4: MOST + 1}), FLOW),
    Case("6.5.2", "frames that are too small", settings({5: 9}), PROTOCOL),
    Case("6.5.2", "frames that are too large", settings({5: 1 << 24}), PROTOCOL),
    Case("6.5.2", "an unknown setting", settings({9: 9}), None),
    Case("6.6", "a push", HEAD + push_promise(1, 2, request()), PROTOCOL),
    Case("6.7", "a ping of a stream", frame(6, 0, 1, bytes(8)), PROTOCOL),
    Case("6.7", "a ping of nine bytes", ping(bytes(9)), SIZE),
    Case("6.8", "a goodbye of a stream", frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL),
    Case("6.8", "a goodbye of seven bytes", frame(GOAWAY, 0, 0, bytes(7)), SIZE),
    Case("6.8", "a goodbye, and the answer", goaway(1) + WHOLE, None),
    Case("6.9", "a window that grows by nothing", window_update(0, 0), PROTOCOL),
    Case("6.9", "a stream's that does", window_update(1, 0), MALFORMED),
    Case("6.9", "a window update of five bytes", frame(WINDOW_UPDATE, 0, 0, bytes(5)), SIZE),
    Case("6.9.1", "a window that is too large", window_update(0, MOST), FLOW),
    Case("6.9.1", "a stream's that is", window_update(1, MOST), STREAM_FLOW),
    Case("6.10", "a continuation of nothing", continuation(1), PROTOCOL),
    Case("6.10", "a ping within a header", headers(1, b"", whole=False) + ping(), PROTOCOL),
    Case("6.10", "a continuation of no stream", frame(CONTINUATION, 0, 0), PROTOCOL),
    Case("7", "an unknown reason", rst_stream(1, 0xFFFF), None),
    Case("8.1", "a whole answer", WHOLE, None),
    Case("8.1", "an answer of one header", headers(1, answer()), None),
    Case("8.1", "an answer that ends with data", HEAD + data(1, b"x", end=True), None),
    Case("8.1", "trailers that don't end it", HEAD + headers(1, trailers(), end=False), MALFORMED),
    Case("8.1", "trailers alone", TRAILERS, MALFORMED),
    Case("8.1", "two headers", HEAD + HEAD, MALFORMED),
    Case("8.1", "two headers, of which one ends it", HEAD + headers(1, answer()), MALFORMED),
    Case("8.1", "first answers before the last", EARLY * 3 + WHOLE, None),
    Case("8.1", "a first answer that ends it", headers(1, block([(b":status", b"100")])),
         MALFORMED),
    Case("8.1", "a first answer after the last", HEAD + EARLY, MALFORMED),
    Case("8.1", "trailers after a first answer", EARLY + TRAILERS, MALFORMED),
    Case("8.1.1", "data that is too short", told(b"2") + data(1, b"x", end=True), MALFORMED),
    Case("8.1.1", "data that is too long", told(b"0") + data(1, b"x", end=True), MALFORMED),
    Case("8.1.1", "data that is too short, with trailers", told(b"2") + data(1, b"x") + TRAILERS,
         MALFORMED),
    Case("8.1.1", "data of its length", told(b"1") + data(1, b"x", padding=5) + TRAILERS, None),
    Case("8.1.1", "a length that is no number", told(b"x"), MALFORMED),
    Case("8.2", "a name with capitals", headers(1, answer((b"X", b"y"))), MALFORMED),
    Case("8.2.1", "a value with a line feed", headers(1, answer((b"x", b"\n"))), MALFORMED),
    Case("8.2.2", "connection", headers(1, answer((b"connection", b"close"))), MALFORMED),
    Case("8.3", "an unknown pseudo-field", headers(1, answer((b":x", b""))), MALFORMED),
    Case("8.3", "a request's pseudo-field", headers(1, block([*ANSWER[:1], (b":path", b"/")])),
         MALFORMED),
    Case("8.3", "a pseudo-field that comes late", headers(1, block(ANSWER[::-1])), MALFORMED),
    Case("8.3.2", "no status", headers(1, block(ANSWER[1:])), MALFORMED),
    Case("8.3.2", "two statuses", headers(1, block([ANSWER[0], ANSWER[0]])), MALFORMED),
    Case("8.3.2", "a status that is no number", headers(1, block([(b":status", b"ok!")])),
         MALFORMED),
    Case("8.3", "a pseudo-field in trailers", HEAD + headers(1, block([(b":path", b"/")])),
         MALFORMED),
)  # fmt: skip

BEGINNINGS: Final = (
    Case("3.4", "settings", GREETING, None),
    Case("3.4", "an ACK first", settings_ack() + settings(), PROTOCOL),
    Case("3.4", "a ping first", ping() + settings(), PROTOCOL),
    Case("3.4", "a goodbye first", goaway(), PROTOCOL),
    Case("3.4", "HTTP/1.1", b"HTTP/1.1 400 Bad Request\r\n\r\n", SIZE),
)


def name_of(case: Case) -> str:
    return f"{case.section}: {case.what}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_rule_and_what_breaks_it(case: Case) -> None:
    client = ClientEnd()
    client.takes(case.said)
    assert client.fault == case.fault
    is_over = case.fault is not None and case.fault.whose == "connection"
    assert client.connection.has_failed is is_over
    if is_over:
        assert client.takes(ping()) == []
        assert client.heard.reports[-1][0] == "failed"


@pytest.mark.parametrize("case", BEGINNINGS, ids=name_of)
def test_how_a_connection_begins(case: Case) -> None:
    client = ClientEnd(greeting=False, asks=0)
    client.takes(case.said)
    assert client.fault == case.fault


def test_a_client_begins_with_the_preface_and_its_settings() -> None:
    """Section 3.4."""
    client = ClientEnd(greeting=False, asks=0)
    assert client.connection.outlet.take().startswith(PREFACE + b"\0\0\x1e\x04\0\0\0\0\0")


def test_a_fault_of_one_answer_leaves_the_others_whole() -> None:
    client = ClientEnd(asks=2)
    client.takes(headers(1, b"\x84") + headers(3, answer(), end=False) + headers(1, answer()))
    assert client.fault == MALFORMED
    client.takes(data(3, b"x") + headers(3, trailers()))
    assert [report[1] for report in client.heard.reports] == [1, 3, 3, 3]
    assert not client.connection.has_failed


def test_what_was_on_its_way_when_a_request_was_given_up_is_passed_over() -> None:
    """Section 5.1: an end that has sent RST_STREAM ignores what was sent before that came."""
    client = ClientEnd()
    client.connection.reset(client.streams[0], ErrorCode.CANCEL)
    client.sends()
    assert client.takes(WHOLE + window_update(1, 9) + rst_stream(1)) == []
    assert client.heard.reports == []


def test_a_goodbye_says_which_requests_were_not_looked_at() -> None:
    """Section 6.8."""
    client = ClientEnd(asks=2)
    client.takes(goaway(1, 0, b"bye"))
    assert client.heard.reports == [("goaway", 1, 0, b"bye")]


def test_a_client_that_ends_the_connection_names_no_stream_of_its_own_as_the_last() -> None:
    """Section 6.8: that stream is one of the other end's, and a server begins none."""
    client = ClientEnd(asks=3)
    (last,) = client.takes(push_promise(1, 2, request()))
    assert (last.kind, last.payload[:8]) == (GOAWAY, bytes((0, 0, 0, 0, 0, 0, 0, 1)))


@pytest.mark.parametrize("most", [0, 1, 2])
def test_no_more_requests_are_made_than_the_server_takes(most: int) -> None:
    """Section 5.1.2; the setting may change, and come below what is under way."""
    client = ClientEnd(asks=1)
    client.takes(settings({3: most}))
    assert client.connection.has_room is (most > 1)
    client.takes(WHOLE)
    assert client.connection.has_room is (most > 0)


def test_the_numbers_of_streams_come_to_an_end() -> None:
    """Section 5.1.1: they can't be used again."""
    client = ClientEnd(asks=1)
    client.connection.last = MOST - 4
    assert client.ask().number == MOST - 2
    assert not client.connection.is_spent
    assert client.ask().number == MOST
    assert client.connection.is_spent

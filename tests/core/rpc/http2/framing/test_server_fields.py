"""What a server says to requests that break a rule (RFC 9113, section 8), after h2spec's cases."""

from typing import Final, NamedTuple

import pytest
from http2.ends import CUT, ServerEnd, of_stream
from http2.field_writer import CALL, Field, block, field, request
from http2.frame_writer import continuation, data, headers

from cache_core.rpc.http2.framing.codes import ErrorCode

MALFORMED = of_stream(ErrorCode.PROTOCOL_ERROR)


class Case(NamedTuple):
    """A request's header block, and whether it is malformed."""

    section: str
    what: str
    block: bytes
    is_malformed: bool = True


def reordered(*places: int) -> bytes:
    return block([CALL[place] for place in places])


CONNECT: Final[tuple[Field, ...]] = ((b":method", b"CONNECT"), (b":authority", b"node:1"))

CASES: Final = (
    Case("8.1", "a whole request", request(), False),
    Case("8.1", "a request of nothing", b""),
    Case("8.2", "a name with capitals", request((b"X-TEST", b"ok"))),
    Case("8.2.1", "a name with a space", request((b"x test", b"ok"))),
    Case("8.2.1", "a name with a control character", request((b"x\x7f", b"ok"))),
    Case("8.2.1", "a name outside of ASCII", request((b"x\xe9", b"ok"))),
    Case("8.2.1", "a name with a colon", request((b"x:y", b"ok"))),
    Case("8.2.1", "no name", request((b"", b"ok"))),
    Case("8.2.1", "a value with a line feed", request((b"x", b"a\nb"))),
    Case("8.2.1", "a value with a carriage return", request((b"x", b"a\rb"))),
    Case("8.2.1", "a value with a zero", request((b"x", b"a\0b"))),
    Case("8.2.1", "a path with a zero", request((b":path", b"/\0"), without=b":path")),
    Case("8.2.1", "a value outside of ASCII", request((b"x", b"\xe9\xff")), False),
    Case("8.2.1", "a value that ends with a space", request((b"x", b" a ")), False),
    Case("8.2.1", "an empty value", request((b"x", b"")), False),
    Case("8.2.2", "connection", request((b"connection", b"keep-alive"))),
    Case("8.2.2", "keep-alive", request((b"keep-alive", b"1"))),
    Case("8.2.2", "proxy-connection", request((b"proxy-connection", b"x"))),
    Case("8.2.2", "transfer-encoding", request((b"transfer-encoding", b"chunked"))),
    Case("8.2.2", "upgrade", request((b"upgrade", b"h2c"))),
    Case("8.2.2", "te that is more than trailers", request((b"te", b"trailers, deflate;q=0.5"))),
    Case("8.2.2", "te", request((b"te", b"trailers")), False),
    Case("8.3", "an unknown pseudo-field", request((b":test", b"ok"))),
    Case("8.3", "a response's pseudo-field", request((b":status", b"200"))),
    Case("8.3", "a pseudo-field that comes late", block([*CALL[:3], (b"x", b"y"), CALL[3]])),
    Case("8.3", "one behind the field that is cut", block([*CALL[:3], (CUT, b"1S"), CALL[3]])),
    Case("8.3", "a pseudo-field that is a colon", request((b":", b""))),
    Case("8.3.1", "no method", request(without=b":method")),
    Case("8.3.1", "no scheme", request(without=b":scheme")),
    Case("8.3.1", "no path", request(without=b":path")),
    Case("8.3.1", "no authority", request(without=b":authority"), False),
    Case("8.3.1", "an empty path", request((b":path", b""), without=b":path")),
    Case("8.3.1", "two methods", reordered(0, 0, 1, 2)),
    Case("8.3.1", "two schemes", reordered(0, 1, 1, 2)),
    Case("8.3.1", "two paths", reordered(0, 1, 2, 2)),
    Case("8.3.1", "two authorities", reordered(0, 1, 2, 3, 3)),
    Case("8.3.1", "another order", reordered(3, 2, 1, 0), False),
    Case("8.5", "CONNECT", block(CONNECT), False),
    Case("8.5", "CONNECT with a path", block([*CONNECT, CALL[2]])),
    Case("8.5", "CONNECT to nowhere", block(CONNECT[:1])),
    Case("8.1.1", "a length that is no number", request((b"content-length", b"+1"))),
    Case("8.1.1", "a length below nothing", request((b"content-length", b"-1"))),
    Case("8.1.1", "a length in other digits", request((b"content-length", "\u0661".encode()))),
    Case("8.1.1", "an endless length", request((b"content-length", b"9" * 5000))),
    Case("8.1.1", "two lengths", request((b"content-length", b"0"), (b"content-length", b"1"))),
    Case("8.1.1", "one length twice", request(*[(b"content-length", b"0")] * 2), False),
    Case("8.1.1", "a length, and no data", request((b"content-length", b"1"))),
)  # fmt: skip


def name_of(case: Case) -> str:
    return f"{case.section}: {case.what}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_malformed_request_ends_its_stream_and_no_other(case: Case) -> None:
    server = ServerEnd()
    server.takes(headers(1, case.block))
    assert server.fault == (MALFORMED if case.is_malformed else None)
    heard = [report[1] for report in server.heard.reports if report[0] == "headers"]
    assert heard == ([] if case.is_malformed else [1])
    server.takes(headers(3, request()))
    assert not server.connection.has_failed
    assert server.heard.reports[-1][:2] == ("headers", 3)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("before", [0, 4], ids=["at first", "once blocks are remembered"])
@pytest.mark.parametrize("value", [b"\0", b"1S\r", b"\n1S"])
def test_the_value_that_is_cut_out_goes_by_the_same_rules(
    value: bytes, before: int, *, packed: bool
) -> None:
    """Section 8.2.1."""
    server = ServerEnd()
    for number in range(1, 1 + 2 * before, 2):
        server.takes(headers(number, request() + field(CUT, b"2S", packed=packed)))
    server.takes(headers(9, request() + field(CUT, value, packed=packed)))
    assert server.fault == MALFORMED
    assert len(server.heard.reports) == before


@pytest.mark.parametrize("told", [b"0", b"3", b"5", b"999999999999999999"])
@pytest.mark.parametrize("parts", [(b"four",), (b"fo", b"ur"), (b"fou", b"r", b"")])
def test_a_length_that_the_data_does_not_have_is_a_fault_of_the_stream(
    told: bytes, parts: tuple[bytes, ...]
) -> None:
    """Section 8.1.1."""
    server = ServerEnd()
    server.takes(headers(1, request((b"content-length", told)), end=False))
    server.takes(b"".join(data(1, part) for part in parts[:-1]) + data(1, parts[-1], end=True))
    assert server.fault == MALFORMED
    assert server.heard.reports[-1][:2] == ("reset", 1)


def test_padding_is_no_part_of_the_length() -> None:
    """Sections 6.1 and 8.1.1."""
    server = ServerEnd()
    server.takes(headers(1, request((b"content-length", b"4")), end=False))
    server.takes(data(1, b"four", padding=9, end=True))
    assert server.fault is None


def test_a_second_header_without_an_end_is_a_fault_of_the_stream() -> None:
    """Section 8.1."""
    server = ServerEnd()
    server.takes(headers(1, request(), end=False) + headers(1, request(), end=False))
    assert server.fault == MALFORMED


@pytest.mark.parametrize(
    ("said", "is_malformed"),
    [
        (block([(b"x", b"y")]), False),
        (b"", False),
        (block([(b":method", b"POST")]), True),
        (block([(b":status", b"200")]), True),
        (block([(b"X", b"y")]), True),
        (block([(b"connection", b"close")]), True),
        (block([(b"x", b"a\nb")]), True),
    ],
)
def test_a_requests_trailers_have_rules_too(said: bytes, *, is_malformed: bool) -> None:
    """Sections 8.1 and 8.3: no pseudo-field is a trailer's."""
    server = ServerEnd()
    server.takes(headers(1, request(), end=False) + data(1, b"x") + headers(1, said))
    assert server.fault == (MALFORMED if is_malformed else None)
    if not is_malformed:
        assert server.heard.reports[-1] == ("data", 1, b"", True)


def test_trailers_end_data_that_was_too_short() -> None:
    """Section 8.1.1."""
    server = ServerEnd()
    server.takes(headers(1, request((b"content-length", b"2")), end=False))
    server.takes(data(1, b"x") + headers(1, b""))
    assert server.fault == MALFORMED


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_header_is_the_same_in_however_many_frames(size: int) -> None:
    """Sections 4.3 and 6.10."""
    server = ServerEnd()
    whole = request((b"x", b"y" * 20))
    parts = [whole[start : start + size] for start in range(0, min(len(whole), 50 * size), size)]
    parts[-1] += whole[50 * size :]
    server.takes(headers(1, parts[0], whole=len(parts) == 1))
    for place, part in enumerate(parts[1:], 2):
        server.takes(continuation(1, part, whole=place == len(parts)))
    again = ServerEnd()
    again.takes(headers(1, whole))
    assert server.heard.reports == again.heard.reports != []


def test_an_answer_before_the_requests_end_is_followed_by_a_reset_for_no_error() -> None:
    """Section 8.1; what still comes of the request is passed over."""
    server = ServerEnd()
    server.takes(headers(1, request(), end=False))
    server.answer(server.connection.streams[1])
    *_, end, reset = server.sends()
    assert (end.flags & 1, reset.kind, reset.number) == (1, 3, ErrorCode.NO_ERROR)
    assert server.takes(data(1, b"late") + headers(1, b"")) == []
    assert not server.connection.has_failed

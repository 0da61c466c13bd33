"""Header blocks that break a rule of HPACK (RFC 7541), after h2spec's cases.

Each ends the connection, as the two ends' tables may be apart from then on (RFC 9113, 4.3).
"""

from typing import Final, NamedTuple

import pytest
from http2.ends import ServerEnd, of_connection
from http2.field_writer import field, integer, request
from http2.frame_writer import headers

from cache_core.rpc.http2.framing.codes import ErrorCode

REQUEST: Final = request()
BROKEN: Final = of_connection(ErrorCode.COMPRESSION_ERROR)


class Case(NamedTuple):
    """A header block, and whether it is one."""

    section: str
    what: str
    block: bytes
    is_broken: bool = True


CASES: Final = (
    Case("2.3.3", "a field of a place that is none", REQUEST + integer(70, 7, 0x80)),
    Case("2.3.3", "a name of a place that is none", REQUEST + integer(70, 6, 0x40) + b"\1x"),
    Case("2.3.3", "the first place of an empty table", REQUEST + integer(62, 7, 0x80)),
    Case("2.3.3", "the last place of the static table", REQUEST + integer(61, 7, 0x80), False),
    Case("4.2", "an update of the table's size at the end", REQUEST + b"\x20"),
    Case("4.2", "an update between two fields", REQUEST[:13] + b"\x20" + REQUEST[13:]),
    Case("4.2", "an update first", b"\x20" + REQUEST, False),
    Case("4.2", "two updates first", b"\x20" + integer(4096, 5, 0x20) + REQUEST, False),
    Case("4.2", "three updates first", b"\x20" * 3 + REQUEST),
    Case("5.1", "a number that does not end", REQUEST + b"\xff" + b"\x80" * 20),
    Case("5.1", "a number that is cut", REQUEST + b"\xff\x80"),
    Case("5.2", "padding of more than seven bits", REQUEST + b"\0\1x\x84\x49\x50\x9f\xff"),
    Case("5.2", "padding of zeros", REQUEST + b"\0\1x\x83\x49\x50\x90"),
    Case("5.2", "the end-of-string symbol", REQUEST + b"\0\1x\x85\x4f\xff\xff\xff\xff"),
    Case("5.2", "packed text", REQUEST + field(b"x-test", b"some text", packed=True), False),
    Case("5.2", "text that is cut", REQUEST + b"\0\1x\5four"),
    Case("5.2", "a name that is cut", REQUEST + b"\0\5four"),
    Case("6.1", "the place 0", REQUEST + b"\x80"),
    Case("6.2.1", "a field that is kept and used", REQUEST + b"\x40\1x\1y\xbe", False),
    Case("6.2.3", "a field that is never kept", REQUEST + field(b"x", b"y", first=0x10), False),
    Case("6.3", "a table that is larger than was allowed", integer(4097, 5, 0x20) + REQUEST),
)  # fmt: skip


def name_of(case: Case) -> str:
    return f"{case.section}: {case.what}"


@pytest.mark.parametrize("first", [True, False], ids=["at first", "once blocks are remembered"])
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_block_that_is_none_ends_the_connection(case: Case, *, first: bool) -> None:
    server = ServerEnd()
    if not first:
        server.takes(headers(1, REQUEST) + headers(3, REQUEST))
    server.takes(headers(5, case.block))
    assert server.fault == (BROKEN if case.is_broken else None)
    heard = [report[1] for report in server.heard.reports if report[0] == "headers"]
    assert (5 in heard) is not case.is_broken


def test_a_block_that_is_none_ends_the_connection_though_its_stream_is_over() -> None:
    """RFC 9113, section 4.3."""
    server = ServerEnd()
    server.takes(headers(1, REQUEST) + headers(1, b"\x80"))
    assert server.fault == BROKEN


def test_a_value_that_is_cut_out_is_read_as_strictly_as_others() -> None:
    """RFC 7541, section 5.2."""
    server = ServerEnd()
    timed = field(b"grpc-timeout", b"1S", first=0)
    server.takes(headers(1, REQUEST) + headers(3, REQUEST + timed) + headers(5, REQUEST + timed))
    assert [report[3] for report in server.heard.reports] == [None, b"1S", b"1S"]
    server.takes(headers(7, REQUEST + timed[:-3] + b"\x83\x49\x50\x90"))
    assert server.fault == BROKEN

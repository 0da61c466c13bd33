"""What a server takes of data: as much as it has said (RFC 9113, section 6.9.1)."""

from typing import Final

from http2.ends import ServerEnd, of_connection, of_stream
from http2.field_writer import request
from http2.frame_writer import data, headers, settings

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import DATA, LEAST_MAX_FRAME, SETTINGS, ErrorCode

OPEN: Final = headers(1, request(), end=False)
FLOW = of_connection(ErrorCode.FLOW_CONTROL_ERROR)
STREAM_FLOW = of_stream(ErrorCode.FLOW_CONTROL_ERROR)


def test_more_data_than_a_stream_may_have_ends_the_stream() -> None:
    """Section 6.9.1."""
    server = ServerEnd(Bounds(window=100))
    server.heard.takes = False
    server.takes(OPEN + data(1, bytes(100)))
    assert server.fault is None
    server.takes(data(1, bytes(1)))
    assert server.fault == STREAM_FLOW


def test_padding_counts_as_data_and_is_given_back_at_once() -> None:
    """Section 6.9.1: the whole frame is counted, its padding too."""
    server = ServerEnd(Bounds(window=1000))
    server.heard.takes = False
    server.takes(OPEN + data(1, padding=255) * 100)
    assert server.fault is None


def test_what_a_connection_may_have_is_given_back_as_it_comes() -> None:
    """Section 6.9.1."""
    server = ServerEnd(Bounds(window=1 << 20, connection_window=1 << 20))
    whole = data(1, bytes(LEAST_MAX_FRAME)) * 64
    server.heard.takes = False
    grants = server.takes(OPEN + whole)
    assert sum(each.number for each in grants) == 1 << 20, "what was read is given back"
    assert server.fault is None


def test_more_data_at_once_than_a_connection_may_have_ends_it() -> None:
    """Section 6.9.1."""
    server = ServerEnd(Bounds(connection_window=100))
    server.takes(OPEN + data(1, bytes(101)))
    assert server.fault == FLOW


def test_what_a_wider_window_lets_leave_comes_behind_the_acknowledgement() -> None:
    server = ServerEnd()
    server.takes(settings({4: 10}) + headers(1, request()))
    server.answer(server.connection.streams[1], bytes(30))
    server.connection.outlet.clear()
    sent = server.takes(settings({4: 20}))
    assert [(each.kind, len(each.payload)) for each in sent] == [(SETTINGS, 0), (DATA, 10)]

"""Padding is data: it is counted, and given back (RFC 9113, section 6.1)."""

from http2.ends import ServerEnd, of_stream
from http2.field_writer import request
from http2.frame_writer import data, headers

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import ErrorCode


def test_padding_counts_against_the_window_of_its_stream() -> None:
    server = ServerEnd(Bounds(window=100))
    server.heard.takes = False
    server.takes(headers(1, request(), end=False) + data(1, bytes(60), padding=39))
    assert server.fault is None
    server = ServerEnd(Bounds(window=100))
    server.heard.takes = False
    server.takes(headers(1, request(), end=False) + data(1, bytes(60), padding=40))
    assert server.fault == of_stream(ErrorCode.FLOW_CONTROL_ERROR)

"""A request that comes in one piece goes by the same rules as one that comes frame by frame."""

import pytest
from http2.ends import ServerEnd
from http2.field_writer import request
from http2.frame_writer import data, headers

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import RST_STREAM, WINDOW_UPDATE, ErrorCode

WINDOW = 1 << 17


def test_requests_in_one_piece_give_back_what_the_connection_may_have() -> None:
    server = ServerEnd(Bounds(connection_window=WINDOW, streams=5_000))
    granted = 0
    for number in range(1, 4_001, 2):
        for each in server.takes(
            headers(number, request(), end=False) + data(number, bytes(200), end=True)
        ):
            assert (each.kind, each.stream) == (WINDOW_UPDATE, 0)
            granted += each.number
    assert server.fault is None
    assert 400_000 - WINDOW // 2 < granted <= 400_000


@pytest.mark.parametrize("step", [None, 1], ids=["in one piece", "byte by byte"])
def test_a_request_that_comes_while_all_are_refused_may_be_made_again(step: int | None) -> None:
    server = ServerEnd()
    server.takes(headers(1, request()))
    server.heard.reports.clear()
    server.connection.refuses = True
    call = headers(3, request(), end=False) + data(3, b"630", end=True)
    size = step or len(call)
    sent = [
        each
        for start in range(0, len(call), size)
        for each in server.takes(call[start : start + size])
    ]
    assert [(each.kind, each.number) for each in sent] == [(RST_STREAM, ErrorCode.REFUSED_STREAM)]
    assert server.heard.reports == []

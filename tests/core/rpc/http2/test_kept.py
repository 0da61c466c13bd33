"""What a connection keeps of its other end is bounded."""

from http2.ends import ServerEnd, of_connection
from http2.field_writer import request
from http2.frame_writer import continuation, data, headers, settings

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import RST_STREAM, ErrorCode
from cache_core.rpc.http2.framing.settings import MAX_PAIRS
from cache_core.rpc.http2.server import ServerConnection


def test_a_header_that_is_too_large_is_refused_before_it_has_ended() -> None:
    server = ServerEnd(Bounds(header_bytes=1_000))
    server.takes(headers(1, bytes(900), whole=False) + continuation(1, bytes(100), whole=False))
    assert server.fault is None
    server.takes(continuation(1, bytes(1), whole=False))
    assert server.fault == of_connection(ErrorCode.ENHANCE_YOUR_CALM)


def test_only_the_last_streams_that_were_reset_are_known() -> None:
    server = ServerEnd()
    streams = [2 * each + 1 for each in range(ServerConnection.kept_resets + 1)]
    for stream in streams:
        server.takes(headers(stream, request((b"content-length", b"1"))))  # there is no content
    assert server.takes(data(streams[1])) == []
    assert [each.kind for each in server.takes(data(streams[0]))] == [RST_STREAM]


def test_one_frame_has_a_few_settings() -> None:
    server = ServerEnd()
    server.takes(settings([(0x7F, 1)] * MAX_PAIRS))
    assert server.fault is None
    server.takes(settings([(0x7F, 1)] * (MAX_PAIRS + 1)))
    assert server.fault == of_connection(ErrorCode.ENHANCE_YOUR_CALM)

"""What a call's end means where gRPC's own status did not come."""

import pytest
from grpc_ends import Ends
from http2.frame_writer import headers, rst_stream

from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import ErrorCode
from cache_core.rpc.http2.framing.literals import block


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, StatusCode.INTERNAL),
        (401, StatusCode.UNAUTHENTICATED),
        (403, StatusCode.PERMISSION_DENIED),
        (404, StatusCode.UNIMPLEMENTED),
        (429, StatusCode.UNAVAILABLE),
        (500, StatusCode.UNKNOWN),
        (502, StatusCode.UNAVAILABLE),
        (503, StatusCode.UNAVAILABLE),
        (504, StatusCode.UNAVAILABLE),
    ],
)
def test_a_status_of_http_is_one_of_grpc(status: int, code: StatusCode) -> None:
    ends = Ends()
    _, caller = ends.call()
    answer = headers(1, block([(b":status", b"%d" % status)]), end=True)
    ends.client.receive(frames.settings({}) + answer)
    assert caller.end.code is code


@pytest.mark.parametrize(
    ("reset", "code"),
    [
        (ErrorCode.PROTOCOL_ERROR, StatusCode.INTERNAL),
        (ErrorCode.REFUSED_STREAM, StatusCode.UNAVAILABLE),
        (ErrorCode.CANCEL, StatusCode.CANCELLED),
        (ErrorCode.ENHANCE_YOUR_CALM, StatusCode.RESOURCE_EXHAUSTED),
        (ErrorCode.INADEQUATE_SECURITY, StatusCode.PERMISSION_DENIED),
    ],
)
def test_a_reset_is_a_status_of_grpc(reset: ErrorCode, code: StatusCode) -> None:
    ends = Ends()
    _, caller = ends.call()
    ends.client.receive(frames.settings({}) + rst_stream(1, reset))
    assert caller.end.code is code

"""The header of a call, to be sent."""

from typing import Final

from cache_core.rpc.grpc.heads import CONTENT_TYPE, USER_AGENT, Metadata, fields_of
from cache_core.rpc.grpc.packed import ACCEPTED
from cache_core.rpc.grpc.timeout import write_timeout
from cache_core.rpc.http2.framing.literals import block

_TIMEOUT: Final = b"\0\x0cgrpc-timeout"


def request_block(
    path: str, authority: str, fields: Metadata = (), *, scheme: str = "http"
) -> bytes:
    """Return the header of a call, which lacks its timeout alone."""
    return block(
        [
            (b":method", b"POST"),
            (b":scheme", scheme.encode()),
            (b":path", path.encode()),
            (b":authority", authority.encode()),
            (b"te", b"trailers"),
            (b"content-type", CONTENT_TYPE),
            (b"user-agent", USER_AGENT),
            (b"grpc-accept-encoding", ACCEPTED),
            *fields_of(fields),
        ]
    )


def timed(head: bytes, seconds: float) -> bytes:
    """Return the header `head` with the time that the call has left."""
    said = write_timeout(seconds)
    return head if said is None else b"%b%b%c%b" % (head, _TIMEOUT, len(said), said)

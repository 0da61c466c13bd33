"""Errors to gRPC statuses and back: the one table of the wire.

A status carries google.rpc.ErrorInfo with our reason in its details (AIP-193), so that an error
keeps its kind, which the code alone would not tell: both an unknown group and a missing key are
NOT_FOUND.
"""

import re
from collections.abc import Iterable
from typing import Final, TypeAlias, TypeVar

from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from cache_core.errors import (
    CacheError,
    DeadlineExceeded,
    InvalidKey,
    KeyRequired,
    NotCached,
    NotFound,
    Overloaded,
    PeerUnavailable,
    RetrieverFailed,
    SourceUnavailable,
    UnexpectedStatus,
    UnknownGroup,
    ValueTooLarge,
)
from cache_core.rpc.grpc.status import StatusCode, cut_words

D = TypeVar("D", bound=Message)

Trailers: TypeAlias = tuple[tuple[str, bytes], ...]

DOMAIN: Final = "gaocache"
DETAILS_KEY: Final = "grpc-status-details-bin"
NODE: Final = "node"
"""The name in ErrorInfo for the node that answered first, where another node was called."""
TTL: Final = "ttl"
"""The name in ErrorInfo for the seconds that a NotFound is remembered."""

_SECONDS: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")

ERROR_OF_REASON: Final[dict[str, type[CacheError]]] = {
    error.reason: error
    for error in (
        KeyRequired,
        InvalidKey,
        UnknownGroup,
        NotFound,
        NotCached,
        RetrieverFailed,
        SourceUnavailable,
        PeerUnavailable,
        Overloaded,
        DeadlineExceeded,
        ValueTooLarge,
    )
}


def to_status(error: CacheError) -> tuple[StatusCode, str, Trailers]:
    """Return the code, the words and the trailing metadata that `error` travels as.

    Words are cut as `cut_words` does. A status that is no failure of gRPC's travels as
    UNKNOWN, so that an error never arrives as OK.
    """
    code = StatusCode.__members__.get(error.status, StatusCode.UNKNOWN)
    if code is StatusCode.OK:
        code = StatusCode.UNKNOWN
    words = cut_words(error.message)
    info = Any()
    said = {NODE: error.node} if error.node else {}
    if isinstance(error, NotFound) and error.ttl is not None:
        said[TTL] = f"{error.ttl:.3f}"
    info.Pack(ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=said))
    status = Status(code=code.value, message=words, details=[info])
    if error.retry_after is not None:
        hint = RetryInfo()
        hint.retry_delay.FromNanoseconds(int(error.retry_after * 1e9))
        status.details.add().Pack(hint)
    return code, words, ((DETAILS_KEY, status.SerializeToString()),)


def from_status(
    code: StatusCode,
    words: str,
    metadata: Iterable[tuple[str, str | bytes]],
    *,
    node: str,
) -> CacheError:
    """Return the error that a call to `node` ended in, with the kind and the words it had there.

    The error's node is the one that answered first, where the status names it, else `node`.
    """
    details = _details(metadata)
    info = _detail(details, ErrorInfo)
    if info is not None and info.domain == DOMAIN:
        node = info.metadata.get(NODE) or node
        if info.reason == NotFound.reason:
            return NotFound(words, node=node, ttl=_seconds(info.metadata.get(TTL, "")))
        if info.reason in ERROR_OF_REASON:
            return _told_when(ERROR_OF_REASON[info.reason](words, node=node), details)
    return _told_when(_of_code(code, words, node), details)


def _of_code(code: StatusCode, words: str, node: str) -> CacheError:
    match code:
        case StatusCode.UNAVAILABLE | StatusCode.CANCELLED:
            # CANCELLED, where the caller did not cancel, is how gRPC ends calls when it stops.
            return PeerUnavailable(f"node {node} can't be reached", node=node)
        case StatusCode.DEADLINE_EXCEEDED:
            return DeadlineExceeded(f"node {node} did not answer within the deadline", node=node)
        case StatusCode.RESOURCE_EXHAUSTED if "larger than max" in words:
            # These are gRPC's own words for a message over the limit, at either end.
            return ValueTooLarge("the value is larger than a message may be", node=node)
        case _:
            return UnexpectedStatus(words, status=code.name, node=node)


def _seconds(said: str) -> float | None:
    return float(said) if _SECONDS.fullmatch(said) else None


def _told_when(error: CacheError, details: Iterable[Any]) -> CacheError:
    """Return `error`, with the seconds until a retry where the details tell them."""
    hint = _detail(details, RetryInfo)
    if hint is not None:
        error.retry_after = hint.retry_delay.ToNanoseconds() / 1e9
    return error


def _details(metadata: Iterable[tuple[str, str | bytes]]) -> tuple[Any, ...]:
    encoded = dict(metadata).get(DETAILS_KEY)
    if not isinstance(encoded, bytes):
        return ()
    try:
        return tuple(Status.FromString(encoded).details)
    except DecodeError:
        return ()


def _detail(details: Iterable[Any], kind: type[D]) -> D | None:
    found = kind()
    try:
        return found if any(detail.Unpack(found) for detail in details) else None
    except DecodeError:
        return None

"""The codes in which calls end, their words, and what HTTP/2's own ends mean in them."""

import re
from enum import IntEnum
from typing import Final
from urllib.parse import unquote_to_bytes

from cache_core.rpc.http2.framing.codes import ErrorCode
from cache_core.rpc.http2.framing.fields import Fields


class StatusCode(IntEnum):
    """How a call ended (grpc/doc/statuscodes.md)."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


OF_HTTP: Final = {
    400: StatusCode.INTERNAL,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.UNIMPLEMENTED,
    429: StatusCode.UNAVAILABLE,
    502: StatusCode.UNAVAILABLE,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.UNAVAILABLE,
}
"""What an HTTP status means that comes without gRPC's (grpc/doc/http-grpc-status-mapping.md)."""

OF_RESET: Final = {
    ErrorCode.REFUSED_STREAM: StatusCode.UNAVAILABLE,
    ErrorCode.CANCEL: StatusCode.CANCELLED,
    ErrorCode.ENHANCE_YOUR_CALM: StatusCode.RESOURCE_EXHAUSTED,
    ErrorCode.INADEQUATE_SECURITY: StatusCode.PERMISSION_DENIED,
}
"""What the code of a RST_STREAM means, INTERNAL where it is another (PROTOCOL-HTTP2.md, Errors)."""

MAX_WORDS_BYTES: Final = 1024
"""The most bytes of an error's words that travel: 8 KiB of trailers have them twice, encoded."""

_CODE: Final = re.compile(rb"[0-9]{1,9}")
_ESCAPED: Final = re.compile(rb"[^ -$&-~]|^ +| +$")


class StatusError(Exception):
    """A call ends in `code`, with words for the other end."""

    def __init__(self, code: StatusCode, words: str) -> None:
        super().__init__(words)
        self.code = code


def read_code(said: bytes) -> StatusCode:
    """Return the code that `grpc-status` names, UNKNOWN where it names none that is known."""
    number = int(said) if _CODE.fullmatch(said) else StatusCode.UNKNOWN
    return StatusCode(number) if number <= StatusCode.UNAUTHENTICATED else StatusCode.UNKNOWN


def write_status(code: StatusCode, words: str) -> Fields:
    """Return the fields that tell how a call ended."""
    return (b"grpc-status", b"%d" % code), (b"grpc-message", write_words(words))


def cut_words(words: str) -> str:
    """Return `words` as UTF-8 can carry them; those that are too long end in an ellipsis."""
    encoded = words.encode(errors="replace")
    if len(encoded) <= MAX_WORDS_BYTES:
        return encoded.decode()
    return encoded[:MAX_WORDS_BYTES].decode(errors="ignore") + "…"


def write_words(words: str) -> bytes:
    """Return `words`, cut and percent-encoded, as `grpc-message` has them; so are spaces at an end.

    Whatever they are, the trailers are then not so large that the connection fails by them.
    """
    encoded = cut_words(words).encode()
    return _ESCAPED.sub(lambda match: b"".join([b"%%%02X" % byte for byte in match[0]]), encoded)


def read_words(said: bytes) -> str:
    """Return the words that `grpc-message` has; what is no UTF-8 in it is replaced."""
    return unquote_to_bytes(said).decode(errors="replace")

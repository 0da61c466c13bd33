"""What the header of a call and of its answer say, each made once for a block that comes again."""

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable
from typing import Final, TypeAlias

from cache_core.rpc.grpc.status import StatusCode, read_code, read_words
from cache_core.rpc.http2.framing.fields import REQUEST, RESPONSE, Field, Fields, Malformed, check
from cache_core.rpc.http2.framing.fields import content_length as length_of

Metadata: TypeAlias = tuple[tuple[str, str | bytes], ...]
"""A call's own fields; those whose names end in `-bin` have bytes."""

CONTENT_TYPE: Final = b"application/grpc"
USER_AGENT: Final = b"gaocache"

MAX_COMMAS: Final = 16
"""Between more parts than this a field has no value: 15,000 empty ones would take megabytes."""

_OURS: Final = frozenset((b"te", b"content-type", b"user-agent", b"content-length"))
_PRINTABLE: Final = re.compile(rb"[ -~]*")


class RequestHead:
    """The header of a call: its path, its metadata, and why it can't be answered if it can't."""

    __slots__ = ("content_length", "encoding", "http_status", "metadata", "path")

    def __init__(self, fields: Fields) -> None:
        check(fields, REQUEST)
        self.content_length = length_of(fields)
        said = dict(fields)
        self.path = said.get(b":path", b"")
        self.http_status = _http_status(said)
        """The HTTP status that refuses what is no gRPC; 200 for what is."""
        self.encoding = said.get(b"grpc-encoding", b"identity")
        self.metadata = metadata_of(fields)


class AnswerHead:
    """A header or the trailers of an answer; `status` is None for trailers."""

    __slots__ = ("code", "content_length", "encoding", "is_grpc", "metadata", "status", "words")

    def __init__(self, fields: Fields) -> None:
        said = dict(fields)
        status = said.get(b":status")
        check(fields, RESPONSE if status is not None else frozenset())
        self.status = None if status is None else _status(status)
        self.content_length = length_of(fields)
        self.is_grpc = said.get(b"content-type", b"").startswith(CONTENT_TYPE)
        self.encoding = said.get(b"grpc-encoding", b"identity")
        code = said.get(b"grpc-status")
        self.code: StatusCode | None = None if code is None else read_code(code)
        self.words = read_words(said.get(b"grpc-message", b""))
        self.metadata = metadata_of(fields)


def metadata_of(fields: Fields) -> Metadata:
    """Return the fields that are the call's own; those that can't be read are left out."""
    found: list[tuple[str, str | bytes]] = []
    for name, value in fields:
        if name.startswith((b":", b"grpc-")) and name != b"grpc-status-details-bin":
            continue
        if name in _OURS:
            continue
        if name.endswith(b"-bin"):
            key = name.decode()
            found += [(key, data) for data in _unpacked(value)]
        elif _PRINTABLE.fullmatch(value):
            found.append((name.decode(), value.decode()))
    return tuple(found)


def fields_of(metadata: Iterable[tuple[str, str | bytes]]) -> list[Field]:
    """Return `metadata` as it travels."""
    return [
        (
            name.encode(),
            b64encode(value).rstrip(b"=") if isinstance(value, bytes) else value.encode(),
        )
        for name, value in metadata
    ]


def _unpacked(value: bytes) -> list[bytes]:
    """Return the bytes that a field of base64 holds, one or several with commas between them.

    Very many are none.
    """
    if value.count(b",") > MAX_COMMAS:
        return []
    try:
        return [
            b64decode(part + b"=" * (-len(part) % 4), validate=True)
            for part in (each.strip() for each in value.split(b","))
        ]
    except Error:
        return []


def _http_status(said: dict[bytes, bytes]) -> int:
    kind = said.get(b"content-type", b"")
    if not kind.startswith(CONTENT_TYPE) or kind[len(CONTENT_TYPE) :][:1] not in (b"", b"+", b";"):
        return 415
    return 200 if said[b":method"] == b"POST" else 405


def _status(said: bytes) -> int:
    if len(said) != 3 or not said.isdigit():
        raise Malformed("the status is no number")
    return int(said)

"""Which header fields a request, a response or its trailers may have (RFC 9113, section 8)."""

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

Field: TypeAlias = tuple[bytes, bytes]
Fields: TypeAlias = Sequence[Field]

REQUEST: Final = frozenset((b":method", b":scheme", b":authority", b":path"))
RESPONSE: Final = frozenset((b":status",))
TRAILERS: Final[frozenset[bytes]] = frozenset()

HOP_BY_HOP: Final = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
)
"""Fields that speak of one connection, which has no place for them here (section 8.2.2)."""

_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
"""A token without capitals (section 8.2.1)."""

_LENGTH: Final = re.compile(rb"[0-9]{1,18}")


class Malformed(Exception):
    """The fields are not those of a request, a response or trailers; the text says why."""


def check(fields: Fields, pseudo: frozenset[bytes]) -> None:
    """Raise Malformed where `fields` break a rule; `pseudo` are those that may begin with a colon.

    Each of those comes once at the most, and before all other fields (section 8.3).
    """
    seen: set[bytes] = set()
    are_over = False
    for name, value in fields:
        if name.startswith(b":"):
            if name not in pseudo:
                raise Malformed(f"{name!r} has no meaning here")
            if name in seen:
                raise Malformed(f"{name!r} is there twice")
            if are_over:
                raise Malformed(f"{name!r} comes behind other fields")
            seen.add(name)
        else:
            are_over = True
            if not _NAME.fullmatch(name):
                raise Malformed(f"{name!r} is no field's name")
            if name in HOP_BY_HOP or (name == b"te" and value != b"trailers"):
                raise Malformed(f"{name!r} speaks of the connection")
        check_value(name, value)
    if pseudo is RESPONSE and not seen:
        raise Malformed("a response has a status")
    if pseudo is REQUEST:
        _check_request(dict(fields), seen)


def check_value(name: bytes, value: bytes) -> None:
    """Raise Malformed where the value of `name` has a NUL, a LF or a CR in it (section 8.2.1).

    It may begin or end with white space all the same, as grpcio's words do.
    """
    if 0 in value or 10 in value or 13 in value:
        raise Malformed(f"the value of {name!r} has bytes that no value has")


def content_length(fields: Fields) -> int | None:
    """Return the bytes of data that `fields` announce. Raises Malformed (section 8.1.1)."""
    told = {value for name, value in fields if name == b"content-length"}
    if not told:
        return None
    length = told.pop()
    if told or not _LENGTH.fullmatch(length):
        raise Malformed("the content's length is no number, or two")
    return int(length)


def _check_request(fields: dict[bytes, bytes], seen: set[bytes]) -> None:
    needed = {b":method", b":authority"} if fields.get(b":method") == b"CONNECT" else None
    if needed is None:
        if not seen >= {b":method", b":scheme", b":path"} or not fields[b":path"]:
            raise Malformed("a request has a method, a scheme and a path")
    elif seen != needed:
        raise Malformed("CONNECT has an authority, no scheme and no path")

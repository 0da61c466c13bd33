"""Fields as text, those that are lists as their members, and as the lines that are sent. Pure.

RFC 9110, sections 5.3 and 5.6.1; RFC 9112, section 5.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias
from urllib.request import parse_http_list

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Names and values as ASGI has them."""

MAX_CHARACTERS: Final = 1024
"""The longest list that is read: what takes media types apart needs cubic time."""


def joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the fields of ASGI's `headers` by their names, several lines of a name as one."""
    fields: dict[str, str] = {}
    for encoded, line in raw:
        name, value = encoded.decode("latin-1"), line.decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


def members(field: str) -> list[str]:
    """Return the members of a list, without those that are empty, their escapes undone.

    A list of more than MAX_CHARACTERS is read as if it had not been sent.
    """
    if len(field) > MAX_CHARACTERS:
        return []
    return [member for member in parse_http_list(field) if member]


def lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the lines of `headers`, their names as they are."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])

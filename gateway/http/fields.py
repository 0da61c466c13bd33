"""Header fields: as text by name, as the members of a list, and as lines to send. Pure.

RFC 9110, sections 5.3 and 5.6.1; RFC 9112, section 5.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias
from urllib.request import parse_http_list

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Names and values as ASGI has them."""

MAX_CHARACTERS: Final = 1024
"""The longest list that is read, because the parser of media types takes cubic time."""


def joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return ASGI's `raw` headers as text by their names; commas join several lines of a name."""
    fields: dict[str, str] = {}
    for encoded, line in raw:
        name, value = encoded.decode("latin-1"), line.decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


def members(field: str) -> list[str]:
    """Return the members of the list `field`, empty ones left out and escapes in quotes undone.

    A list of more than MAX_CHARACTERS is read as if it had not been sent.
    """
    if len(field) > MAX_CHARACTERS:
        return []
    return [member for member in parse_http_list(field) if member]


def lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return `headers` as the lines to send; the names stay as they are."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])

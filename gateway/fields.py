"""Request fields as text, and those that are lists as their members. Pure.

RFC 9110, sections 5.3 and 5.6.1.
"""

from collections.abc import Iterable
from typing import Final
from urllib.request import parse_http_list

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

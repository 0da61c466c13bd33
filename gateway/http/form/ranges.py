"""The part of a body that a Range asks for. Pure.

RFC 9110, section 14.
"""

import re
from typing import Final

_SPEC: Final = re.compile(r"([0-9]{0,64})-([0-9]{0,64})")
"""A number of more than 64 digits is malformed, because no body has so many bytes."""

MAX_COMMAS: Final = 16
"""Between more ranges than this, none is looked at: 7,000 of them would take 15 ms."""


def select(field: str, size: int) -> range | None:
    """Return the positions that `field` asks for, of `size` bytes; None stands for the whole.

    They are empty where none of those asked for exist, which is a 416. The whole is the answer to a
    field that is malformed, of another unit, or of several ranges of which at least one exists, or
    of very many.
    """
    unit, equals, given = field.partition("=")
    if not equals or unit.strip().lower() != "bytes" or given.count(",") > MAX_COMMAS:
        return None
    parts = []
    for spec in filter(None, map(str.strip, given.split(","))):
        part = _part(spec, size)
        if part is None:
            return None
        parts.append(part)
    if len(parts) > 1 and any(parts):
        return None
    return parts[0] if parts else None


def content_range(part: range, size: int) -> str:
    """Return the Content-Range of `part`, of `size` bytes; an empty part is that of a 416."""
    return f"bytes {part.start}-{part.stop - 1}/{size}" if part else f"bytes */{size}"


def _part(spec: str, size: int) -> range | None:
    """Return the positions in the range `spec` that exist; None where the whole is the answer."""
    match = _SPEC.fullmatch(spec)
    if match is None or spec == "-":
        return None
    first, last = match.groups()
    if not first:
        if int(last) and not size:
            return None  # the whole of an empty body, for which there is no Content-Range
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    stop = min(int(last) + 1, size) if last else size
    return range(int(first), stop)

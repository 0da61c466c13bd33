"""The part of a body that a Range asks for. Pure.

RFC 9110, section 14.
"""

import re
from typing import Final

_SPEC: Final = re.compile(r"([0-9]{0,64})-([0-9]{0,64})")
"""More digits than that are malformed: nothing has so many bytes."""


def select(field: str, size: int) -> range | None:
    """Return the positions that `field` asks for of `size` bytes; None: answer the whole.

    Empty where it asks for none that there are: 416. The whole is the answer to what is
    malformed, of another unit, or more than one range.
    """
    unit, equals, given = field.partition("=")
    if not equals or unit.strip().lower() != "bytes":
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
    """Return the Content-Range of `part` of `size` bytes, an empty one for a 416."""
    return f"bytes {part.start}-{part.stop - 1}/{size}" if part else f"bytes */{size}"


def _part(spec: str, size: int) -> range | None:
    """Return what there is of the range `spec`; None where the whole is the answer."""
    match = _SPEC.fullmatch(spec)
    if match is None or spec == "-":
        return None
    first, last = match.groups()
    if not first:
        if int(last) and not size:
            return None  # it is all there is, which no Content-Range can say of nothing
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    stop = min(int(last) + 1, size) if last else size
    return range(int(first), stop)

"""Header blocks taken apart into fields without a table, which hardly any sender of ours keeps.

A field that came before is then not read again. A block of 13 fields, one of which is new each
time, such as a request's id, takes a quarter of the time that it takes `hpack` as a whole.
"""

from functools import lru_cache
from typing import Final

from hpack import Decoder

from cache_core.rpc.http2.framing.fields import Field

MOST_BYTES: Final = 128
"""A longer field is not remembered, so that what is has a bound."""

STATIC: Final = 61
"""How many fields the standard's table has (RFC 7541, appendix A)."""

INDEXED: Final = 0x80
INDEXING: Final = 0x40
"""The first byte of such a field that goes into the table (RFC 7541, section 6.2.1)."""

_UPDATE: Final = 0x20


def split(block: bytes, *, keeps: bool) -> list[bytes] | None:
    """Return the bytes of each field of `block`, or None where it takes more to tell them apart.

    `keeps` tells whether there is room in the table: then a field that goes into it is such a case.
    So are updates of its size, fields that are in it, and numbers of several bytes but a value's
    length.
    """
    found: list[bytes] = []
    start, size = 0, len(block)
    while start < size:
        first = block[start]
        end = start + 1
        if first & INDEXED:
            if not INDEXED < first <= INDEXED + STATIC:
                return None
        else:
            if first & INDEXING:
                if keeps:
                    return None
                name, most = first & 0x3F, STATIC
            elif first & _UPDATE:
                return None
            else:
                name, most = first & 0x0F, 0x0E
            if name > most:
                return None
            if not name:
                end = _behind_text(block, end)
            end = _behind_text(block, end)
            if not start < end <= size:
                return None
        found.append(block[start:end])
        start = end
    return found


def field_of(piece: bytes) -> Field:
    """Return the field that these bytes of a block mean. Raises HPACKError."""
    return _remembered(piece) if len(piece) <= MOST_BYTES else _read(piece)


def _behind_text(block: bytes, at: int) -> int:
    """Return where the text that begins at `at` ends; 0 where its length has three bytes or more.

    It may end behind the block.
    """
    if not 0 < at < len(block):
        return 0
    length = block[at] & 0x7F
    if length < 0x7F:
        return at + 1 + length
    if at + 1 >= len(block) or block[at + 1] & 0x80:
        return 0
    return at + 2 + 0x7F + block[at + 1]


def _read(piece: bytes) -> Field:
    (field,) = Decoder().decode(piece, raw=True)
    return field


_remembered = lru_cache(maxsize=1024)(_read)

"""Header fields as HPACK writes them without a table (RFC 7541, section 6.2.2), to be sent.

Nothing is kept of what was sent, so that a block can be made once and sent with every call.
"""

from typing import Final

from cache_core.rpc.http2.framing.fields import Fields

STATIC_NAMES: Final = {
    b":authority": 1,
    b":path": 4,
    b":status": 8,
    b"content-type": 31,
    b"user-agent": 58,
}
"""The places in the static table of names that we send (RFC 7541, appendix A)."""

INDEXED: Final = {
    (b":method", b"POST"): b"\x83",
    (b":scheme", b"http"): b"\x86",
    (b":scheme", b"https"): b"\x87",
    (b":status", b"200"): b"\x88",
}
"""Whole fields of the static table that we send."""


def literal(name: bytes, value: bytes) -> bytes:
    """Return one field that no end keeps in its table."""
    indexed = INDEXED.get((name, value))
    if indexed is not None:
        return indexed
    place = STATIC_NAMES.get(name)
    if place is None:
        return b"\0" + _text(name) + _text(value)
    return number(place, 4) + _text(value)


def block(fields: Fields) -> bytes:
    """Return the header block of `fields`."""
    return b"".join([literal(name, value) for name, value in fields])


def number(value: int, bits: int) -> bytes:
    """Return `value` as an integer whose first byte has `bits` for it (RFC 7541, section 5.1)."""
    full = (1 << bits) - 1
    if value < full:
        return bytes((value,))
    out = bytearray((full,))
    value -= full
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _text(text: bytes) -> bytes:
    return number(len(text), 7) + text

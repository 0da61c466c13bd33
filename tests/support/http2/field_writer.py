"""Header blocks as a test writes them: literals that no table keeps (RFC 7541, section 6.2.2)."""

from collections.abc import Iterable
from typing import Final, TypeAlias

from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

Field: TypeAlias = tuple[bytes, bytes]

HUFFMAN: Final = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)

CALL: Final[tuple[Field, ...]] = (
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/s/Get"),
    (b":authority", b"node"),
)
ANSWER: Final[tuple[Field, ...]] = ((b":status", b"200"), (b"content-type", b"application/grpc"))
END: Final[tuple[Field, ...]] = ((b"grpc-status", b"0"),)


def integer(value: int, bits: int, first: int = 0) -> bytes:
    """Return `value` after the bits of `first` that say what it is (RFC 7541, section 5.1)."""
    full = (1 << bits) - 1
    if value < full:
        return bytes((first | value,))
    out = bytearray((first | full,))
    value -= full
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(value: bytes, *, packed: bool = False) -> bytes:
    if packed:
        value = HUFFMAN.encode(value)
    return integer(len(value), 7, 0x80 if packed else 0) + value


def field(name: bytes, value: bytes, *, first: int = 0, packed: bool = False) -> bytes:
    """Return one field with its name written out; `first` is 0x40 where the table keeps it."""
    return bytes((first,)) + text(name, packed=packed) + text(value, packed=packed)


def block(fields: Iterable[Field]) -> bytes:
    return b"".join(field(name, value) for name, value in fields)


def request(*more: Field, without: bytes = b"") -> bytes:
    """Return the block of a call with `more` fields, and `without` one of the usual ones."""
    return block([*(each for each in CALL if each[0] != without), *more])


def answer(*more: Field) -> bytes:
    return block([*ANSWER, *more])


def trailers(*more: Field) -> bytes:
    return block([*END, *more])

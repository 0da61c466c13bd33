"""A value as it lies in a store: a header, and the value's bytes. Knows no store.

    b"gao1"  the format's version
    16 B     the token that the record was made with
    16 B     the epoch of the group under which the value was put
    17 B     when it was put, by the store's clock: seconds since 1970, as %010d.%06d
    8 B      its age in seconds when it was put, a big-endian double
    2 B      how long its content type is, 4 B its version
    ...      content type and version in UTF-8, then the data
    4 B      the CRC-32 of all from its age on

A record that ends after its token has no value yet: a node is loading one.
"""

import struct
from typing import Final, NamedTuple
from zlib import crc32

from cache_core.value import Terms, Value

MAGIC: Final = b"gao1"
TOKEN_BYTES: Final = 16
HEAD_BYTES: Final = len(MAGIC) + TOKEN_BYTES
TIME_BYTES: Final = 17
_FIXED: Final = struct.Struct(">dHL")
_CHECK: Final = struct.Struct(">L")


class Record(NamedTuple):
    """A record's token, and the rest where it has a value that can be read."""

    token: bytes
    epoch: bytes = b""
    put_at: float = 0.0
    value: Value | None = None


def placeholder(token: bytes) -> bytes:
    """Return a record with `token` and without a value."""
    return MAGIC + token


def value_part(value: Value) -> bytes:
    """Return the bytes that follow the time in a record of `value`."""
    content_type, version = value.terms.content_type.encode(), value.version.encode()
    part = _FIXED.pack(value.age, len(content_type), len(version))
    part += content_type + version + value.data
    return part + _CHECK.pack(crc32(part))


def read(record: bytes) -> Record | None:
    """Return what `record` says, its value as old as it was when put; None if it is no record."""
    token, rest = record[len(MAGIC) : HEAD_BYTES], record[HEAD_BYTES:]
    if not record.startswith(MAGIC) or len(token) < TOKEN_BYTES:
        return None
    epoch, rest = rest[:TOKEN_BYTES], rest[TOKEN_BYTES:]
    put_at, rest = rest[:TIME_BYTES], rest[TIME_BYTES:]
    try:
        if _CHECK.pack(crc32(rest[: -_CHECK.size])) != rest[-_CHECK.size :]:
            return Record(token)
        age, type_length, version_length = _FIXED.unpack(rest[: _FIXED.size])
        rest = rest[_FIXED.size : -_CHECK.size]
        content_type, rest = rest[:type_length].decode(), rest[type_length:]
        version, data = rest[:version_length].decode(), rest[version_length:]
        value = Value(data, age=age, terms=Terms(content_type=content_type), version=version)
        return Record(token, epoch, float(put_at), value)
    except (struct.error, ValueError):  # a placeholder, or cut short
        return Record(token)

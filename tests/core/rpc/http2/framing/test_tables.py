"""What a header means of which a part was seen before, and what of it may not be remembered."""

from http2.field_writer import field

from cache_core.rpc.http2.framing.head_reader import HeadReader
from cache_core.rpc.http2.framing.pieces import INDEXING

NEWEST, BEFORE = b"\xbe", b"\xbf"
"""What means the newest field of the table, and the one before it."""

TABLE_BYTES = 4096
"""The size of a table of which nothing was said (RFC 9113, section 6.5.2)."""


def test_a_header_that_goes_into_the_table_goes_there_each_time() -> None:
    reader = HeadReader(tuple, b"grpc-timeout", 1 << 15)
    block = field(b"x", b"1", first=INDEXING)
    for _ in range(3):
        assert reader.read(block) == (((b"x", b"1"),), None)
    assert reader.read(NEWEST + BEFORE) == (((b"x", b"1"), (b"x", b"1")), None)


def test_a_header_that_empties_the_table_means_what_was_there_each_time() -> None:
    reader = HeadReader(tuple, b"grpc-timeout", 1 << 15)
    larger = field(b"y", bytes(TABLE_BYTES), first=INDEXING)  # than the table, which it empties
    for seen in (b"1", b"2", b"3"):
        reader.read(field(b"x", seen, first=INDEXING))
        (first, _), _ = reader.read(NEWEST + larger)
        assert first == (b"x", seen)


def test_a_value_that_looks_like_the_field_that_is_cut_is_no_such_field() -> None:
    reader = HeadReader(tuple, b"grpc-timeout", 1 << 15)
    reader.read(field(b"x", b"1"))
    for seen in (b"AA", b"BB", b"CC"):
        value = field(b"grpc-timeout", seen)
        block = field(b"x", value) + field(b"grpc-timeout", b"5S")
        assert reader.read(block) == (((b"x", value),), b"5S")

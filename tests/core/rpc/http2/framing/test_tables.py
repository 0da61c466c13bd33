"""What a header means of which a part was seen before, and what of it may not be remembered."""

from http2.field_writer import field

from cache_core.rpc.http2.framing.head_reader import HeadReader
from cache_core.rpc.http2.framing.pieces import INDEXING

NEWEST, BEFORE = b"\xbe", b"\xbf"
"""What means the newest field of the table, and the one before it."""


def test_a_header_that_goes_into_the_table_goes_there_each_time() -> None:
    reader = HeadReader(tuple, b"grpc-timeout", 1 << 15)
    block = field(b"x", b"1", first=INDEXING)
    for _ in range(3):
        assert reader.read(block) == (((b"x", b"1"),), None)
    assert reader.read(NEWEST + BEFORE) == (((b"x", b"1"), (b"x", b"1")), None)


def test_a_value_that_looks_like_the_field_that_is_cut_is_no_such_field() -> None:
    reader = HeadReader(tuple, b"grpc-timeout", 1 << 15)
    reader.read(field(b"x", b"1"))
    for seen in (b"AA", b"BB", b"CC"):
        value = field(b"grpc-timeout", seen)
        block = field(b"x", value) + field(b"grpc-timeout", b"5S")
        assert reader.read(block) == (((b"x", value),), b"5S")

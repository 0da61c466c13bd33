"""Blocks that are taken apart into fields mean what they mean as a whole."""

import pytest
from hpack import Decoder, Encoder
from hpack.exceptions import HPACKError
from http2.field_writer import block as literals
from http2.field_writer import field
from hypothesis import example, given
from hypothesis import strategies as st

from cache_core.rpc.http2.framing.codes import ConnectionFault, ErrorCode
from cache_core.rpc.http2.framing.fields import Field, Fields
from cache_core.rpc.http2.framing.head_reader import HeadReader
from cache_core.rpc.http2.framing.pieces import MOST_BYTES, field_of, split

REQUEST = [
    (b":method", b"POST"),
    (b":path", b"/gaocachepb.Gaocache/Get"),
    (b"user-agent", b"grpc-go/1.80.0"),
    (b"x-request-id", b"8d2f6c5e-6b0c-4d0e-9a39-0f4f0f6f9a11"),
]

names = st.sampled_from([b":method", b":path", b"te", b"x-id", b"cookie", b"x" * 200])
values = st.one_of(st.sampled_from([b"POST", b"", b"/"]), st.binary(max_size=400))
blocks = st.one_of(
    st.builds(
        lambda fields, huffman: encoded(fields, huffman=huffman),
        st.lists(st.tuples(names, values), max_size=8),
        st.booleans(),
    ),
    st.binary(max_size=60),
)


def encoded(fields: Fields, *, huffman: bool) -> bytes:
    """Return `fields` as a sender writes them that keeps no table, without saying so."""
    encoder = Encoder()
    encoder.header_table_size = 0
    encoder.encode([])  # the first block tells it
    block: bytes = encoder.encode(list(fields), huffman=huffman)
    return block


def as_a_whole(block: bytes) -> list[Field] | None:
    """Return what `hpack` makes of a block without a table; None for an error."""
    decoder = Decoder()
    decoder.header_table_size = 0
    try:
        return list(decoder.decode(block, raw=True))
    except HPACKError:
        return None


def by_pieces(block: bytes) -> list[Field] | None:
    pieces = split(block, keeps=False)
    if pieces is None:
        return None
    assert b"".join(pieces) == block
    try:
        return [field_of(piece) for piece in pieces]
    except HPACKError:
        return None


@given(blocks)
@example(encoded(REQUEST, huffman=True))
@example(b"\x82\x80")
@example(b"\xbe")
@example(b"\x00\x7f\x00")
@example(field(b"n" * 127, b"v" * 254))
@example(field(b"n" * 255, b"v" * 300))
def test_what_is_taken_apart_means_the_same(block: bytes) -> None:
    found = by_pieces(block)
    assert found is None or found == as_a_whole(block)


@given(st.lists(st.tuples(names, values.filter(lambda value: len(value) < 200)), max_size=8))
def test_what_senders_without_a_table_write_is_taken_apart(fields: list[Field]) -> None:
    for huffman in (True, False):
        assert by_pieces(encoded(fields, huffman=huffman)) == fields


@pytest.mark.parametrize("size", [MOST_BYTES // 2, MOST_BYTES, 2 * MOST_BYTES])
def test_a_field_of_any_length_is_read(size: int) -> None:
    piece = field(b"x-id", b"v" * size)
    assert field_of(piece) == field_of(piece) == (b"x-id", b"v" * size)


def test_a_field_that_goes_into_a_table_is_not_taken_apart() -> None:
    block: bytes = Encoder().encode([(b"x-id", b"1")])
    assert split(block, keeps=True) is None
    assert split(block, keeps=False) == [block]


@pytest.mark.parametrize("block", [b"\x20", b"\x3f\xe1\x1f", b"\x20\x82"])
def test_a_change_of_the_tables_size_is_not_taken_apart(block: bytes) -> None:
    assert split(block, keeps=False) is None


def test_a_header_that_is_too_large_is_refused_however_it_is_read() -> None:
    fields = [(b"x-%d" % number, b"v" * 50) for number in range(20)]
    reader = HeadReader(list, b"grpc-timeout", 1000)
    by_a_table, by_pieces = encoded(fields, huffman=True), literals(fields)
    for block in (by_pieces, by_a_table, b"\x20" + by_a_table):
        with pytest.raises(ConnectionFault) as raised:
            reader.read(block)
        assert raised.value.code is ErrorCode.ENHANCE_YOUR_CALM
    assert reader.read(encoded(fields[:10], huffman=True))[0] == fields[:10]

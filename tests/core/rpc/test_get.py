"""The two messages of a Get, which are written and read by hand, beside protobuf's own."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st

from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.wire.get import (
    Unreadable,
    read_request,
    read_response,
    write_request,
    write_response,
)

SIZES = [edge + step for edge in (0, 1 << 7, 1 << 14, 1 << 21) for step in (-1, 0, 1, 127, 128)]

names = st.text(max_size=300).filter(lambda text: text.isascii() or is_utf8(text))
numbers = st.integers(0, (1 << 64) - 1)


def is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def varint(number: int, padding: int = 0) -> bytes:
    """Return `number` in groups of seven bits, with `padding` more groups than it needs."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F)
    groups += [0] * padding
    return bytes(group | 0x80 for group in groups[:-1]) + bytes(groups[-1:])


@st.composite
def fields(draw: st.DrawFn) -> bytes:
    """One field as a sender may write it: known or not, of any kind, oddly long numbers."""
    number, kind = draw(st.sampled_from([1, 2, 3, 16, 2000])), draw(st.sampled_from([0, 1, 2, 5]))
    padding = draw(st.sampled_from([0, 0, 0, 1, 3]))
    tag = varint(number << 3 | kind, padding)
    if kind == 2:
        data = draw(st.binary(max_size=140))
        return tag + varint(len(data), draw(st.sampled_from([0, 0, 2]))) + data
    return tag + {0: varint(draw(numbers)), 1: bytes(8), 5: bytes(4)}[kind]


odd = st.one_of(
    st.binary(max_size=40),
    st.lists(fields(), max_size=4).map(b"".join),
    st.builds(write_request, names, names),
    st.builds(lambda data, cut: data[: len(data) - cut], fields(), st.integers(1, 4)),
)


@given(names, names)
@example("scores", "Tom")
@example("", "")
@example("g" * 127, "k" * 127)
@example("g" * 128, "k" * 128)
def test_a_request_is_written_as_protobuf_writes_it(group: str, key: str) -> None:
    data = write_request(group, key)
    assert data == GetRequest(group=group, key=key).SerializeToString()
    assert read_request(data) == (group, key)


@pytest.mark.parametrize("size", [size for size in SIZES if size >= 0])
def test_a_value_of_any_size_is_written_as_protobuf_writes_it(size: int) -> None:
    data = b"v" * size
    written = write_response(data)
    assert written == GetResponse(value=data).SerializeToString()
    assert read_response(written) == data


@given(odd)
def test_a_request_is_read_as_protobuf_reads_it(data: bytes) -> None:
    try:
        request = GetRequest.FromString(data)
    except DecodeError:
        with pytest.raises(Unreadable):
            read_request(data)
    else:
        assert read_request(data) == (request.group, request.key)


@given(odd)
def test_an_answer_is_read_as_protobuf_reads_it(data: bytes) -> None:
    try:
        response = GetResponse.FromString(data)
    except DecodeError:
        with pytest.raises(Unreadable):
            read_response(data)
    else:
        assert read_response(data) == response.value

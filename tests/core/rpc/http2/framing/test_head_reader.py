"""Header blocks that are remembered mean what `hpack` alone says that they mean."""

import re
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import pytest
from hpack import Decoder
from hpack.exceptions import HPACKError
from http2.ends import CUT
from http2.field_writer import Field, field, integer, text
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cache_core.rpc.http2.framing.codes import ConnectionFault
from cache_core.rpc.http2.framing.fields import Fields, Malformed
from cache_core.rpc.http2.framing.head_reader import HeadReader

MOST: Final = 1 << 20

Head: TypeAlias = tuple[Field, ...]

NAME: Final = bytes((len(CUT),)) + CUT
THREE_UPDATES: Final = re.compile(rb"([\x20-\x3e]|\x3f[\x80-\xff]*[\0-\x7f]){3}")
PACKED: Final = text(CUT, packed=True)


def reader() -> HeadReader[Head]:
    return HeadReader[Head](tuple_of, CUT, MOST)


def tuple_of(fields: Fields) -> Head:
    return tuple((bytes(name), bytes(value)) for name, value in fields)


def read(reader: HeadReader[Head], block: bytes) -> tuple[Head, bytes | None] | str:
    try:
        return reader.read(block)
    except Malformed:
        return "malformed"
    except ConnectionFault:
        return "broken"


def decoded(decoder: Decoder, block: bytes) -> tuple[Head, bytes | None] | str:
    """Return what `hpack` alone says, as a reader would; it takes any number of updates first."""
    if THREE_UPDATES.match(block):
        return "broken"
    try:
        fields = [(bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)]
    except HPACKError:
        return "broken"
    cut = [value for name, value in fields if name == CUT]
    names = [name for name, _ in fields]
    if len(cut) > 1 or (cut and any(name[:1] == b":" for name in names[names.index(CUT) :])):
        return "malformed"
    if any(set(value) & set(b"\0\r\n") for value in cut):
        return "malformed"
    rest = tuple(each for each in fields if each[0] != CUT)
    return rest, cut[0] if cut else None


NAMES: Final = st.sampled_from([b"a", b"b", CUT, b"grpc-timeou", b"x" + CUT, b"c"])
VALUES: Final = st.one_of(
    st.sampled_from(
        [
            *(b"", b"1S", b"100m", b"x" * 126, b"x" * 127, b"x" * 128, b"x" * 300, b"x" * 5000),
            *(b"\0" + NAME, b"\0" + NAME + b"\2ab", b"y\0" + NAME + b"\x05abc", NAME + b"\1a"),
            *(b"\x10" + PACKED + b"\1a", b"\x40" + PACKED, b"\0" + NAME + b"\x7f\1"),
        ]
    ),
    st.binary(max_size=4),
)
FIRST: Final = st.sampled_from([0x00, 0x00, 0x00, 0x10, 0x40])

LITERALS: Final = st.builds(
    lambda name, value, first, packed: field(name, value, first=first, packed=packed),
    *(NAMES, VALUES, FIRST, st.booleans()),
)
OF_THE_TABLES: Final = st.builds(
    lambda place: integer(place, 7, 0x80), st.sampled_from([2, 8, 16, 62, 62, 63, 64, 70])
)
NAMED_BY_THE_TABLES: Final = st.builds(
    lambda place, value, first: (
        integer(place, 6 if first == 0x40 else 4, first) + text(value, packed=False)
    ),
    *(st.sampled_from([4, 58, 62, 63]), VALUES, FIRST),
)
CUTS: Final = st.builds(
    lambda value, first, packed: field(CUT, value, first=first, packed=packed),
    *(VALUES, FIRST, st.booleans()),
)
SIZES: Final = st.sampled_from([b"", b"", b"", b"", b"\x20", b"\x3f\xe1\x1f", integer(60, 5, 0x20)])


@st.composite
def blocks_in_a_row(draw: st.DrawFn) -> list[bytes]:
    """Return blocks that have parts in common, so that much of them is remembered."""
    piece = st.one_of(LITERALS, LITERALS, CUTS, NAMED_BY_THE_TABLES, OF_THE_TABLES)
    shared = draw(st.lists(st.lists(piece, max_size=2), min_size=2, max_size=3))
    ends = st.sampled_from([b"".join(each) for each in shared])
    middle = st.one_of(CUTS, CUTS, piece, st.just(b""), st.binary(max_size=3))
    block = st.builds(
        lambda size, before, middle, behind: size + before + middle + behind,
        *(SIZES, ends, middle, ends),
    )
    return draw(st.lists(block, min_size=3, max_size=12))


def same_as_without_memory(blocks: Sequence[bytes]) -> None:
    remembering, plain = reader(), Decoder(MOST)
    for block in blocks:
        expected = decoded(plain, block)
        assert read(remembering, block) == expected
        if expected == "broken":
            return


A: Final = field(b"a", b"1")
NEW: Final = field(b"b", b"2", first=0x40)
TIMED: Final = field(CUT, b"1S")
KEPT: Final = field(CUT, b"2S", first=0x40)


@settings(max_examples=120, deadline=None)
@given(blocks_in_a_row())
@example([A, TIMED, KEPT, b"\xbe"])
@example([A, TIMED, TIMED, field(CUT, b"x" * 5000, first=0x40), KEPT, b"\xbe"])
@example([A, NEW + KEPT, b"\xbe", b"\xbf", b"\xc0"])
@example([A, A + field(b"a", b"\0" + NAME + b"\1x"), A + field(b"a", b"\0" + NAME + b"\1y")])
@example([A, NEW + field(b"a", b"\0" + NAME + b"\1x") + b"\x82", b"\xbe", NEW, b"\xbf"])
@example([b"\x20" + A, KEPT, KEPT, b"\x3f\xe1\x1f" + A, KEPT, b"\xbe"])
def test_what_is_remembered_is_what_the_blocks_mean(blocks: list[bytes]) -> None:
    same_as_without_memory(blocks)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=4_000, deadline=None)
@given(blocks_in_a_row())
def test_what_is_remembered_is_what_the_blocks_mean_however_long_one_looks(
    blocks: list[bytes],
) -> None:
    same_as_without_memory(blocks)


def test_a_block_that_comes_again_is_remembered() -> None:
    made: list[Fields] = []

    def make(fields: Fields) -> int:
        made.append(fields)
        return len(made)

    reading = HeadReader[int](make, CUT, MOST)
    timed = [A + field(CUT, value, packed=True) + A for value in (b"1S", b"20m", b"3H")]
    assert reading.read(A) == (1, None)
    assert [reading.read(A + A)[0] for _ in range(5)] == [2, 3, 3, 3, 3]
    assert [reading.read(each) for each in timed] == [(4, b"1S"), (5, b"20m"), (5, b"3H")]


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize(
    "block",
    [
        lambda number: field(b"x-%d" % number, b"y"),
        lambda number: field(b"x", b"y" * 8000 + b"%d" % number),
        lambda number: field(b"x", b"%d" % number) + TIMED,
        lambda number: TIMED + field(b"x", b"%d" % number * 2000) + A,
        lambda number: b"\x90" * 9 + field(b"x", b"%d" % number),
    ],
    ids=["small", "large", "timed", "large and timed", "many fields"],
)
def test_what_is_remembered_is_bounded(block: Callable[[int], bytes], times: int) -> None:
    reading = reader()
    tracemalloc.start()
    try:
        for number in range(500):
            for _ in range(times):
                reading.read(block(number))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1 << 20


def test_a_block_larger_than_all_that_is_kept_is_read_all_the_same() -> None:
    reading = reader()
    large = field(b"x", b"y" * 20_000)
    assert reading.read(A)[1] is None
    assert [reading.read(large + TIMED)[1] for _ in range(3)] == [b"1S"] * 3
    assert [len(reading.read(large)[0]) for _ in range(3)] == [1] * 3

"""Header blocks that come only once push out none that come again."""

from collections.abc import Callable
from typing import Final

import pytest
from http2.ends import CUT
from http2.field_writer import field, request

from cache_core.rpc.http2.framing.fields import Fields
from cache_core.rpc.http2.framing.head_reader import MAX_KEPT_BYTES, HeadReader

MANY: Final = MAX_KEPT_BYTES // 16

PLAIN: Final = request()
TIMED: Final = PLAIN + field(CUT, b"1S")


def traced(number: int) -> bytes:
    return PLAIN + field(b"traceparent", b"00-%032x-%016x-01" % (number, number))


def traced_and_timed(number: int) -> bytes:
    return traced(number) + field(CUT, b"2S")


@pytest.mark.parametrize("again", [PLAIN, TIMED], ids=["plain", "timed"])
@pytest.mark.parametrize("once", [traced, traced_and_timed])
def test_headers_of_traces_never_push_out_one_that_comes_again(
    again: bytes, once: Callable[[int], bytes]
) -> None:
    made: list[Fields] = []

    def make(fields: Fields) -> int:
        made.append(fields)
        return len(made)

    reading = HeadReader[int](make, CUT, 1 << 16)
    for _ in range(4):  # the first one has to say that no table is kept
        reading.read(again)
    known = len(made)
    for number in range(MANY):
        reading.read(once(number))
    assert len(made) == known + MANY
    reading.read(again)
    assert len(made) == known + MANY

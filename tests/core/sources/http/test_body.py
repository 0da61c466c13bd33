import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial

import pytest

from cache_core import RetrieverFailed
from cache_core.sources.http.body import Body

LIMIT = 1000
compress = partial(gzip.compress, mtime=0)
MIB = 1024 * 1024


def read(coding: str, data: bytes, limit: int = LIMIT, step: int = 7) -> bytes:
    body = Body(coding, limit)
    for start in range(0, len(data), step):
        body.feed(data[start : start + step])
    return body.finish()


@pytest.mark.parametrize("data", [b"", b"630", b"x" * LIMIT])
@pytest.mark.parametrize(
    ("coding", "encode"),
    [("", bytes), ("identity", bytes), ("gzip", compress), ("X-GZIP ", compress)],
)
def test_a_body_up_to_the_limit_is_decoded(
    coding: str, encode: Callable[[bytes], bytes], data: bytes
) -> None:
    assert read(coding, encode(data)) == data


def test_gzip_may_have_several_members() -> None:
    assert read("gzip", compress(b"ab") + compress(b"") + compress(b"c")) == b"abc"


def test_no_bytes_at_all_are_an_empty_body_in_any_coding() -> None:
    assert read("gzip", b"") == b""


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("", b"x" * (LIMIT + 1)),
        ("gzip", compress(b"x" * (LIMIT + 1))),
        ("gzip", compress(b"x" * LIMIT) + compress(b"x")),
    ],
)
def test_a_body_past_the_limit_is_refused(coding: str, data: bytes) -> None:
    with pytest.raises(RetrieverFailed, match="larger than max_bytes, 1000"):
        read(coding, data)


def test_a_bomb_is_refused_before_it_takes_room() -> None:
    bomb = compress(bytes(64 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(RetrieverFailed, match="larger than max_bytes"):
            read("gzip", bomb, limit=MIB, step=len(bomb))
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("coding", "data", "words"),
    [
        ("gzip", b"630", "no valid gzip"),
        ("gzip", compress(b"630")[:-3], "its end is missing"),
        ("gzip", compress(b"630")[:-8] + bytes(8), "no valid gzip"),
        ("deflate", zlib.compress(b"630"), "a content coding other than gzip"),
        ("br", b"630", "a content coding other than gzip"),
        ("gzip, gzip", b"630", "a content coding other than gzip"),
    ],
)
def test_what_can_not_be_decoded_is_refused(coding: str, data: bytes, words: str) -> None:
    with pytest.raises(RetrieverFailed, match=words):
        read(coding, data)

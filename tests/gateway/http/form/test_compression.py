import gzip

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.form.compression import CODINGS, MIN_BYTES, accepts_identity, choose, compress

JSON = "application/json"
LARGE = MIN_BYTES + 1


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, zstd", "zstd"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip;q=0.1", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.000", "identity"),
        ("gzip ; q = 0.9, zstd;Q=0.5", "gzip"),
        ("gzip;q=0.5, identity", "identity"),
        ("gzip;q=0.5, identity;q=0.4", "gzip"),
        ("*", "zstd"),
        ("*, zstd;q=0", "gzip"),
        ("*;q=0, gzip", "gzip"),
        ("*;q=0.5, identity", "identity"),
        ("br", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=x, zstd;level=3", "identity"),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("identity;q=0", None),
        ("*;q=0", None),
        ("br, *;q=0", None),
    ],
)
def test_the_coding_is_the_one_that_is_accepted_most(
    accept_encoding: str | None, coding: str | None
) -> None:
    assert choose(accept_encoding, JSON, LARGE) == coding


@pytest.mark.parametrize(
    ("content_type", "size", "coding"),
    [
        (JSON, MIN_BYTES, "identity"),
        (JSON, LARGE, "gzip"),
        ("text/plain; charset=utf-8", LARGE, "gzip"),
        ("Image/SVG+XML", LARGE, "gzip"),
        ("application/octet-stream", LARGE, "identity"),
        ("image/png", LARGE, "identity"),
        ("application/zip", LARGE, "identity"),
    ],
)
def test_what_is_small_or_gets_no_smaller_is_sent_as_it_is(
    content_type: str, size: int, coding: str
) -> None:
    assert choose("gzip", content_type, size) == coding


def test_what_is_small_is_coded_all_the_same_where_plain_bytes_are_refused() -> None:
    assert choose("gzip, identity;q=0", "image/png", 1) == "gzip"


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        (None, True),
        ("", True),
        ("gzip", True),
        ("*;q=0, identity;q=0.1", True),
        ("identity;q=0", False),
        ("gzip, *;q=0", False),
    ],
)
def test_plain_bytes_are_accepted_unless_refused(
    accept_encoding: str | None, *, accepted: bool
) -> None:
    assert accepts_identity(accept_encoding) is accepted


@given(st.binary(max_size=5000))
def test_every_coding_gives_the_bytes_back(body: bytes) -> None:
    assert gzip.decompress(compress("gzip", body)) == body
    assert zstd.decompress(compress("zstd", body)) == body
    assert compress("identity", body) == body


def test_gzip_carries_no_time_so_that_equal_bytes_have_equal_codings() -> None:
    assert compress("gzip", b"630")[4:8] == bytes(4)


@given(st.text())
def test_any_text_is_read(accept_encoding: str) -> None:
    assert choose(accept_encoding, JSON, LARGE) in {*CODINGS, None}
    assert choose(f"gzip;q={accept_encoding}", JSON, LARGE) in {*CODINGS, None}

"""How forms, validators, ranges and codings come together, with neither node nor socket."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache_core import Answer, Terms, Value
from gateway.http.addressing import Target
from gateway.http.form.decision import Decision, Get, decide
from gateway.http.form.representation import Wish
from gateway.http.problems import Refused

TOM = Target("scores", "Tom")
SMALL = Value(b"0123456789", 37.5, 22.5, Answer.HIT, "10.0.0.1:8080")
LARGE = SMALL._replace(data=b"0123456789" * 200, terms=Terms(content_type="text/csv"))
MEDIA = Wish(alt="media")


def get(value: Value, wish: Wish = MEDIA, **fields: str) -> Decision:
    return decide(Get(TOM, wish, named(fields)), value)


def head(value: Value, **fields: str) -> Decision:
    return decide(Get(TOM, MEDIA, named(fields), is_head=True), value)


def named(fields: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): field for name, field in fields.items()}


def refused(value: Value, wish: Wish = MEDIA, **fields: str) -> Refused:
    with pytest.raises(Refused) as raised:
        get(value, wish, **fields)
    return raised.value


def etag(value: Value, wish: Wish = MEDIA, **fields: str) -> str:
    return get(value, wish, **fields).headers["ETag"]


def test_a_raw_answer_has_these_headers_and_no_others() -> None:
    assert get(SMALL) == (
        200,
        {
            "Vary": "Accept, Accept-Encoding",
            "Content-Security-Policy": "sandbox",
            "Accept-Ranges": "bytes",
            "ETag": etag(SMALL),
            "Cache-Control": "max-age=59",
            "Age": "22",
            "Cache-Status": '"10.0.0.1:8080"; hit; ttl=37',
            "X-Accel-Expires": "37",
            "Content-Type": "application/octet-stream",
            "Content-Disposition": "attachment",
            "Content-Length": "10",
        },
        b"0123456789",
    )


def test_a_json_answer_is_no_attachment_and_has_no_ranges() -> None:
    raw, json = get(SMALL), get(SMALL, Wish(), range="bytes=0-4")
    assert json.status == 200
    assert set(raw.headers) - set(json.headers) == {"Accept-Ranges", "Content-Disposition"}
    assert json.headers["Content-Type"] == "application/json"


def test_the_etag_tells_values_forms_and_codings_apart() -> None:
    tags = [
        etag(LARGE),
        etag(LARGE, accept_encoding="gzip"),
        etag(LARGE, accept_encoding="zstd"),
        etag(LARGE, Wish()),
        etag(LARGE, Wish(encoding="base64")),
        etag(LARGE, Wish("text/plain")),
        etag(LARGE._replace(data=LARGE.data + b"0")),
    ]
    assert len(set(tags)) == len(tags)


def test_the_etag_stays_while_the_value_ages_and_whoever_answers() -> None:
    older = SMALL._replace(ttl=1.0, age=59.0, answer=Answer.STALE, node="10.0.0.2:8080")
    assert etag(older) == etag(SMALL)


def test_a_304_has_the_headers_of_the_200_but_for_those_of_the_content() -> None:
    whole = get(LARGE, accept_encoding="gzip")
    found = get(LARGE, accept_encoding="gzip", if_none_match=f'"x", W/{whole.headers["ETag"]}')
    content = {"Content-Type", "Content-Length", "Content-Encoding"}
    kept = {name: value for name, value in whole.headers.items() if name not in content}
    assert found == (304, kept, b"")
    assert {"ETag", "Vary", "Cache-Control", "Age"} <= set(kept)


def test_the_etag_of_another_coding_is_no_match() -> None:
    assert get(LARGE, if_none_match=etag(LARGE, accept_encoding="gzip")).status == 200


def test_if_match_of_another_value_is_412() -> None:
    assert get(SMALL, if_match=etag(SMALL)).status == 200
    error = refused(SMALL, if_match=etag(LARGE))
    assert (error.status, error.reason) == (412, "precondition-failed")


def test_one_range_is_206() -> None:
    whole, part = get(SMALL), get(SMALL, range="bytes=2-4")
    assert part == (
        206,
        {**whole.headers, "Content-Range": "bytes 2-4/10", "Content-Length": "3"},
        b"234",
    )


def test_several_ranges_are_200() -> None:
    assert get(SMALL, range="bytes=0-1,3-4") == get(SMALL)


def test_no_satisfiable_range_is_416_with_the_size() -> None:
    error = refused(SMALL, range="bytes=10-")
    assert (error.status, error.reason) == (416, "range-not-satisfiable")
    assert error.headers == {"Content-Range": "bytes */10", "Accept-Ranges": "bytes"}


def test_a_malformed_range_is_ignored() -> None:
    assert get(SMALL, range="bytes=x") == get(SMALL)


def test_preconditions_come_before_ranges() -> None:
    assert refused(SMALL, range="bytes=10-", if_match='"x"').status == 412
    assert get(SMALL, range="bytes=10-", if_none_match="*").status == 304


def test_if_range_with_the_strong_etag_alone_gives_the_part() -> None:
    tag = etag(SMALL)
    assert get(SMALL, range="bytes=2-4", if_range=tag).status == 206
    for other in (f"W/{tag}", '"x"', "Sun, 22 Nov 2026 00:00:00 GMT"):
        assert get(SMALL, range="bytes=2-4", if_range=other) == get(SMALL)
        assert get(SMALL, range="bytes=10-", if_range=other) == get(SMALL)


def test_a_206_is_never_compressed() -> None:
    part = get(LARGE, accept_encoding="gzip", range="bytes=0-1499")
    assert part.status == 206
    assert part.body == LARGE.data[:1500]
    assert "Content-Encoding" not in part.headers
    assert part.headers["ETag"] == etag(LARGE)


def test_a_part_of_the_compressed_form_is_not_to_be_had() -> None:
    tag = etag(LARGE, accept_encoding="gzip")
    found = get(LARGE, accept_encoding="gzip", range="bytes=0-9", if_range=tag)
    assert found == get(LARGE, accept_encoding="gzip")


def test_a_range_is_ignored_where_plain_bytes_are_refused() -> None:
    found = get(SMALL, accept_encoding="gzip, identity;q=0", range="bytes=0-4")
    assert found.status == 200
    assert gzip.decompress(found.body) == SMALL.data


def test_a_head_is_the_same_but_for_the_body() -> None:
    for value in (SMALL, LARGE):
        found = head(value, accept_encoding="gzip")
        whole = get(value, accept_encoding="gzip")
        assert found == (200, whole.headers, b"")
        assert found.headers["Content-Length"] == str(len(whole.body))


def test_a_head_ignores_ranges_and_heeds_preconditions() -> None:
    for field in ("bytes=2-4", "bytes=10-"):
        assert head(SMALL, range=field) == head(SMALL)
    assert head(SMALL, if_none_match="*").status == 304


def test_compressed_it_is_the_same_value() -> None:
    found = get(LARGE, accept_encoding="gzip")
    assert found.headers["Content-Encoding"] == "gzip"
    assert found.headers["Content-Length"] == str(len(found.body))
    assert len(found.body) < len(LARGE.data)
    assert gzip.decompress(found.body) == LARGE.data
    assert found.headers["Content-Type"] == "text/csv"


def test_bytes_that_nobody_declared_are_not_compressed() -> None:
    value = LARGE._replace(terms=Terms())
    assert "Content-Encoding" not in get(value, accept_encoding="gzip").headers
    assert get(value, Wish(), accept_encoding="gzip").headers["Content-Encoding"] == "gzip"


def test_no_form_that_was_asked_for_is_406_with_the_list_of_what_there_is() -> None:
    error = refused(SMALL, Wish("image/webp"))
    assert (error.status, error.reason) == (406, "not-acceptable")
    assert str(error) == "there is application/json, application/octet-stream and text/plain"


def test_no_coding_that_was_asked_for_is_406_with_the_list_of_what_there_is() -> None:
    error = refused(SMALL, accept_encoding="br, *;q=0")
    assert error.status == 406
    assert str(error) == "there is zstd, gzip and identity"


def test_an_authenticated_answer_is_private() -> None:
    found = get(SMALL, authorization="Bearer x")
    assert found.headers["Cache-Control"] == "private, max-age=59"


FIELDS = ("accept-encoding", "if-match", "if-none-match", "if-range", "range", "cache-control")


@given(
    st.fixed_dictionaries({}, optional={name: st.text() for name in FIELDS}),
    st.text(),
    st.booleans(),
    st.binary(max_size=40).map(lambda data: data * 40),
)
def test_any_request_is_answered_or_refused(
    fields: dict[str, str], accept: str, is_head: bool, data: bytes
) -> None:
    try:
        found = decide(Get(TOM, Wish(accept), fields, is_head), Value(data))
    except Refused:
        return
    assert found.status in {200, 206, 304}
    assert all(field.isascii() and field.isprintable() for field in found.headers.values())


@given(st.binary(min_size=1, max_size=300), st.integers(0, 300), st.integers(0, 300))
def test_a_206_is_the_slice(data: bytes, first: int, length: int) -> None:
    field = f"bytes={first}-{first + length}"
    if first >= len(data):
        assert refused(Value(data), range=field).status == 416
        return
    found = get(Value(data), range=field)
    assert found.status == 206
    assert found.body == data[first : first + length + 1]
    last = first + len(found.body) - 1
    assert found.headers["Content-Range"] == f"bytes {first}-{last}/{len(data)}"
    assert found.headers["Content-Length"] == str(len(found.body))

import base64
import json

import pytest
from fakes import ALL_BYTES
from hypothesis import given
from hypothesis import strategies as st

from cache_core import Terms, Value
from gateway.http.form.representation import (
    JSON,
    RAW,
    TEXT,
    Alt,
    Encoding,
    NotAcceptable,
    Representation,
    Wish,
    as_json,
    choose,
    represent,
)

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
IMAGE_TAG = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"

TOM = Value(b"630")
BINARY = Value(ALL_BYTES)
PNG = Value(b"\x89PNG", terms=Terms(content_type="image/png"))


def form(value: Value, accept: str = "", **query: str) -> Representation:
    return represent(Wish(accept, **query), "g", "k", value)  # type: ignore[arg-type] # alt, encoding


def document(value: Value, content_type: str = JSON, **query: str) -> dict[str, object]:
    """The JSON form of `value` in a group that declares `content_type`."""
    declaring = value._replace(terms=Terms(content_type=content_type))
    found = json.loads(form(declaring, **query).body)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        (", ,", JSON),
        ("*/*", JSON),
        ("*", JSON),
        ("application/json", JSON),
        ("Application/JSON", JSON),
        ("application/*", JSON),
        (CHROMIUM, JSON),
        (FIREFOX, JSON),
        ("application/octet-stream", RAW),
        ("application/json;q=0.5, application/octet-stream", RAW),
        ("application/octet-stream;q=0.1, */*", JSON),
        ("application/json;q=0, */*", RAW),
        ("text/plain, */*", TEXT),
        ("text/*", TEXT),
        ("text/plain;q=0.3, application/octet-stream ; Q=0.4", RAW),
        ('text/plain;note="a,b", application/json;q=0.9', TEXT),
        ("not a media type", JSON),
        ("nonsense, text/plain", TEXT),
        ("a/b/c, image/webp, text/plain;q=x", TEXT),
        ("image/webp;" * 1000, JSON),
        ("image/webp", None),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("text/plain;q=0.000, image/*", None),
    ],
)
def test_the_form_is_what_is_accepted_most(accept: str, chosen: str | None) -> None:
    assert choose(accept, [JSON, RAW, TEXT]) == chosen


@given(st.text())
def test_any_accept_is_read(accept: str) -> None:
    for asked in (accept, f"text/plain;q={accept}", f"{accept}/{accept};{accept}=1"):
        assert choose(asked, [JSON, RAW, TEXT]) in {JSON, RAW, TEXT, None}


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", CHROMIUM, FIREFOX])
def test_json_is_the_form_for_all_who_ask_for_nothing_else(accept: str) -> None:
    expected = b'{"group":"g","key":"k","value":"630","encoding":"utf-8"}'
    assert form(TOM, accept) == Representation(JSON, expected)


@pytest.mark.parametrize("value", [TOM, BINARY, Value(b"")])
def test_octet_stream_and_alt_media_are_the_exact_bytes_to_be_kept(value: Value) -> None:
    raw = Representation(RAW, value.data, is_raw=True, is_attachment=True)
    assert form(value, RAW) == form(value, alt="media") == raw


def test_alt_wins_over_accept() -> None:
    assert form(TOM, "image/webp", alt="media").content_type == RAW
    assert form(TOM, RAW, alt="json").content_type == JSON


def test_text_is_the_bytes_where_they_are_utf_8() -> None:
    ae = "ä".encode()
    assert form(Value(ae), TEXT) == Representation(f"{TEXT}; charset=utf-8", ae, is_raw=True)
    with pytest.raises(NotAcceptable, match=f"^there is {JSON} and {RAW}$"):
        form(BINARY, TEXT)
    assert form(BINARY, f"{TEXT}, {RAW};q=0.1").content_type == RAW


@pytest.mark.parametrize("accept", ["image/png", "IMAGE/PNG", "image/*", IMAGE_TAG])
def test_the_declared_type_is_the_exact_bytes_under_it(accept: str) -> None:
    assert form(PNG, accept) == Representation("image/png", PNG.data, is_raw=True)


def test_a_group_that_declares_a_type_answers_json_by_default_and_no_attachments() -> None:
    assert form(PNG).content_type == form(PNG, FIREFOX).content_type == JSON
    assert form(PNG, alt="media") == Representation("image/png", PNG.data, is_raw=True)
    assert form(PNG, RAW) == Representation(RAW, PNG.data, is_raw=True)


def test_a_declared_type_keeps_its_parameters_and_its_name() -> None:
    latin = Value(b"\xe4", terms=Terms(content_type="text/plain; charset=latin-1"))
    assert form(latin, TEXT) == Representation("text/plain; charset=latin-1", b"\xe4", is_raw=True)


@pytest.mark.parametrize(
    "declared", ["png", "image/", "*/*", "image/png\r\nX: y", "image/png;", "bild/ä", " "]
)
def test_a_declared_type_that_is_none_counts_as_not_declared(declared: str) -> None:
    value = TOM._replace(terms=Terms(content_type=declared))
    assert form(value, alt="media") == form(TOM, alt="media")
    assert form(value) == form(TOM)


def test_no_caller_chooses_the_type_of_stored_bytes() -> None:
    with pytest.raises(NotAcceptable):
        form(Value(b"<script>"), "text/html")
    assert form(Value(b"<script>"), "text/html, */*;q=0.1").content_type == JSON


def test_what_there_is_not_is_refused_with_the_list_of_what_there_is() -> None:
    with pytest.raises(NotAcceptable, match=f"^there is {JSON}, {RAW} and {TEXT}$"):
        form(TOM, "image/webp")
    with pytest.raises(NotAcceptable, match=f"^there is {JSON}, image/png and {RAW}$"):
        form(PNG, "image/webp")


@pytest.mark.parametrize(
    ("data", "encoding", "value"),
    [
        (b"630", "utf-8", "630"),
        (b"630", "base64", "NjMw"),
        (b"\xff\xfe", "base64", "//4="),
        (b"", "utf-8", ""),
        (b"", "base64", ""),
    ],
)
def test_an_encoding_that_is_asked_for_is_the_one_of_the_json_form(
    data: bytes, encoding: Encoding, value: str
) -> None:
    found = form(Value(data), "image/webp", encoding=encoding)
    assert found.content_type == JSON
    expected = {"group": "g", "key": "k", "value": value, "encoding": encoding}
    assert json.loads(found.body) == expected


def test_utf_8_of_what_is_none_is_refused() -> None:
    with pytest.raises(NotAcceptable, match=r"^the value is not UTF-8, there is encoding=base64$"):
        form(BINARY, encoding="utf-8")


@pytest.mark.parametrize(
    "data",
    [b'{"a": [1, null]}', b" [1.50]\n", b'"\\ud800"', b"-0", b"9" * 5000, '{"ä":1}'.encode()],
)
def test_a_group_of_json_embeds_the_document_as_it_is(data: bytes) -> None:
    for declared in (JSON, "Application/JSON; charset=utf-8"):
        value = Value(data, terms=Terms(content_type=declared))
        expected = b'{"group":"g","key":"k","value":%b,"encoding":"json"}' % data
        assert form(value).body == form(value, alt="json").body == expected
        assert form(value, alt="media") == Representation(declared, data, is_raw=True)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"NaN", b"[Infinity]", b"{} {}", b"\xef\xbb\xbf{}", b"[" * 200_000, b"'a'"]
)
def test_what_is_no_json_is_text_in_a_group_of_json(data: bytes) -> None:
    expected = {"group": "g", "key": "k", "value": data.decode(), "encoding": "utf-8"}
    assert document(Value(data)) == expected


def test_binary_is_base64_in_a_group_of_json() -> None:
    assert document(Value(b'"\xff"'))["encoding"] == "base64"


def test_other_groups_and_whoever_asks_for_an_encoding_get_documents_as_text() -> None:
    data = Value(b'{"a":1}')
    assert document(data, "text/json")["value"] == '{"a":1}'
    assert document(data, encoding="utf-8")["value"] == '{"a":1}'
    assert document(data, encoding="base64")["encoding"] == "base64"


def test_the_json_form_is_compact_and_in_the_documented_order() -> None:
    assert as_json("scores", "Tom", TOM) == (
        b'{"group":"scores","key":"Tom","value":"630","encoding":"utf-8"}'
    )


@given(st.text(max_size=20), st.text(max_size=20), st.binary(max_size=64))
def test_the_json_form_says_how_to_read_any_bytes(group: str, key: str, data: bytes) -> None:
    body = json.loads(as_json(group, key, Value(data)))
    decode = {"utf-8": str.encode, "base64": lambda text: base64.b64decode(text, validate=True)}
    assert (body["group"], body["key"]) == (group, key)
    assert decode[body["encoding"]](body["value"]) == data
    if body["encoding"] == "base64":
        with pytest.raises(UnicodeDecodeError):
            data.decode()


@given(
    st.text(),
    st.sampled_from([None, "json", "media"]),
    st.sampled_from([None, "utf-8", "base64"]),
    st.binary(max_size=16),
    st.one_of(st.text(), st.sampled_from([JSON, "image/png", "text/html; charset=utf-8"])),
)
def test_any_wish_has_a_form_or_is_refused(
    accept: str, alt: Alt | None, encoding: Encoding | None, data: bytes, declared: str
) -> None:
    value = Value(data, terms=Terms(content_type=declared))
    try:
        found = represent(Wish(accept, alt, encoding), "g", "k", value)
    except NotAcceptable:
        return
    assert (found.body == data) if found.is_raw else json.loads(found.body)["key"] == "k"
    assert found.content_type in {JSON, RAW, f"{TEXT}; charset=utf-8", declared}

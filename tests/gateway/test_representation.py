import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache_core import Value
from gateway.representation import JSON, RAW, Alt, as_json, choose

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)


@pytest.mark.parametrize(
    ("accept", "alt", "chosen"),
    [
        ("", None, JSON),
        ("*/*", None, JSON),
        ("application/json", None, JSON),
        (CHROMIUM, None, JSON),
        ("application/octet-stream", None, RAW),
        ("application/json;q=0.5, application/octet-stream", None, RAW),
        ("application/octet-stream;q=0.1, */*", None, JSON),
        ("application/json;q=0, */*", None, RAW),
        ("not a media type", None, JSON),
        ("image/webp", None, None),
        ("application/json;q=0", None, None),
        ("image/webp", "media", RAW),
        ("application/octet-stream", "json", JSON),
    ],
)
def test_the_form_is_what_was_asked_for(accept: str, alt: Alt | None, chosen: str | None) -> None:
    assert choose(accept, alt) == chosen


def test_the_json_form_is_compact_and_in_the_documented_order() -> None:
    assert as_json("scores", "Tom", Value(b"630")) == (
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

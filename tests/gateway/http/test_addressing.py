from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.addressing import MalformedTarget, from_path, from_query
from gateway.http.limits import Limits

LIMITS = Limits()


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("a/b.txt", "a/b.txt"),
        ("a%2Fb.txt", "a/b.txt"),
        ("a%2fb.txt", "a/b.txt"),
        ("/", "/"),
        ("a//b/", "a//b/"),
        ("a+b", "a+b"),
        (":;@", ":;@"),
        ("%2B", "+"),
        ("%20", " "),
        ("%2541", "%41"),
        ("%C3%A4", "ä"),
        ("a%CC%88", "a\u0308"),
        ("%00", "\0"),
        ("", ""),
        ("k" * 1024, "k" * 1024),
    ],
)
def test_a_path_is_decoded_exactly_once(encoded: str, key: str) -> None:
    assert from_path("scores", encoded, LIMITS) == ("scores", key)


@pytest.mark.parametrize(
    ("query", "key"),
    [
        (b"key=..", ".."),
        (b"key=a+b", "a b"),
        (b"key=a%2Bb", "a+b"),
        (b"alt=media&key=a%26b", "a&b"),
        (b"key=a=b", "a=b"),
        (b"k%65y=x", "x"),
        (b"+key=x", ""),
        (b"key=", ""),
        (b"key", ""),
        (b"", ""),
        (b"alt=media", ""),
    ],
)
def test_a_querys_key_is_form_decoded(query: bytes, key: str) -> None:
    assert from_query("scores", query, LIMITS) == ("scores", key)


@pytest.mark.parametrize(
    ("group", "key", "reason"),
    [
        ("g", "%ZZ", "malformed-escape"),
        ("g", "%", "malformed-escape"),
        ("g", "%4", "malformed-escape"),
        ("%G0", "k", "malformed-escape"),
        ("g", "%FF", "invalid-encoding"),
        ("%FF", "k", "invalid-encoding"),
        ("g", "%ED%A0%80", "invalid-encoding"),  # a lone surrogate
        ("g", "%C0%AF", "invalid-encoding"),  # an overlong slash
        ("g", "k" * 1025, "key-too-long"),
        ("g", "%C3%A4" * 513, "key-too-long"),
        ("g" * 129, "k", "group-too-long"),
    ],
)
def test_what_names_no_key_is_refused(group: str, key: str, reason: str) -> None:
    with pytest.raises(MalformedTarget) as in_path:
        from_path(group, key, LIMITS)
    with pytest.raises(MalformedTarget) as in_query:
        from_query(group, b"key=" + key.encode(), LIMITS)
    assert in_path.value.reason == in_query.value.reason == reason


def test_more_than_one_key_is_refused() -> None:
    with pytest.raises(MalformedTarget, match="the query has 2 keys"):
        from_query("g", b"key=a&key=b", LIMITS)


@pytest.mark.parametrize("query", [b"k%65y=a&key=b", b"key=a&%6B%65%79"])
def test_an_encoded_name_is_the_same_name(query: bytes) -> None:
    with pytest.raises(MalformedTarget, match="the query has 2 keys"):
        from_query("g", query, LIMITS)


@given(st.text(max_size=32), st.text(max_size=256))
def test_every_group_and_key_survives_both_ways(group: str, key: str) -> None:
    encoded = quote(group, safe="")
    assert from_path(encoded, quote(key), LIMITS) == (group, key)
    assert from_path(encoded, quote(key, safe=""), LIMITS) == (group, key)
    assert from_query(encoded, f"key={quote_plus(key)}".encode(), LIMITS) == (group, key)

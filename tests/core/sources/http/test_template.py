import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache_core.loading.retriever import InvalidSource
from cache_core.sources.http.template import UrlOrigin, UrlTemplate

IN_PATH = "https://api.example.com/users/{key}"
IN_QUERY = "https://api.example.com/users?id={key}"


@pytest.mark.parametrize(
    ("template", "key", "target"),
    [
        (IN_PATH, "Tom", "/users/Tom"),
        (IN_PATH, "a/b", "/users/a%2Fb"),
        (IN_PATH, "a?b#c", "/users/a%3Fb%23c"),
        (IN_PATH, "%2e%2e", "/users/%252e%252e"),
        (IN_PATH, "a\\b", "/users/a%5Cb"),
        (IN_PATH, "a\r\nHost: evil", "/users/a%0D%0AHost%3A%20evil"),
        (IN_PATH, "\0", "/users/%00"),
        (IN_PATH, "é", "/users/%C3%A9"),
        (IN_PATH, "//evil.example", "/users/%2F%2Fevil.example"),
        (IN_PATH, "@evil", "/users/%40evil"),
        (IN_PATH, "..;x", "/users/..%3Bx"),
        (IN_PATH, "...", "/users/..."),
        (IN_PATH, "a b+c", "/users/a%20b%2Bc"),
        (IN_PATH, "{key}", "/users/%7Bkey%7D"),
        (IN_QUERY, "a&admin=1", "/users?id=a%26admin%3D1"),
        (IN_QUERY, "../x", "/users?id=..%2Fx"),
        (IN_QUERY, "..", "/users?id=.."),
        ("http://h/{key}/of/{key}?as={key}", "a/b", "/a%2Fb/of/a%2Fb?as=a%2Fb"),
        ("http://h/{key}.json", "..", "/...json"),
        ("http://h/é b/%41/{key}?q=a b&r=%41", "k", "/%C3%A9%20b/%41/k?q=a%20b&r=%41"),
        ("http://h?id={key}", "k", "/?id=k"),
    ],
)
def test_a_key_stays_within_its_segment_or_value(template: str, key: str, target: str) -> None:
    assert UrlTemplate(template).target(key) == target


@given(st.text(min_size=1))
def test_any_key_is_one_segment_that_decodes_to_it(key: str) -> None:
    target = UrlTemplate(IN_PATH).target(key)
    if target is None:
        assert "." in key
        return
    empty, users, segment = target.split("/")
    assert (empty, users, unquote(segment)) == ("", "users", key)
    assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+", segment)
    assert segment not in {".", ".."}


@pytest.mark.parametrize(
    ("template", "key"),
    [
        (IN_PATH, "."),
        (IN_PATH, ".."),
        (IN_PATH, "../admin"),
        (IN_PATH, "a/../../admin"),
        (IN_PATH, "a\\..\\admin"),
        (IN_PATH, "a/."),
        ("http://h/.{key}", "."),
        ("http://h/{key}{key}", "."),
        ("http://h/{key}.", "."),
    ],
)
def test_no_url_names_a_key_that_would_leave_its_segment(template: str, key: str) -> None:
    assert UrlTemplate(template).target(key) is None


@pytest.mark.parametrize(
    ("template", "origin", "authority"),
    [
        (IN_PATH, UrlOrigin("https", "api.example.com", 443), "api.example.com"),
        ("HTTP://API.Example.com:81/{key}", UrlOrigin("http", "api.example.com", 81), None),
        ("http://[::1]:81/{key}", UrlOrigin("http", "::1", 81), "[::1]:81"),
        ("http://[::1]/{key}", UrlOrigin("http", "::1", 80), "[::1]"),
        ("http://bücher.example/{key}", UrlOrigin("http", "xn--bcher-kva.example", 80), None),
    ],
)
def test_a_template_has_an_origin(template: str, origin: UrlOrigin, authority: str | None) -> None:
    found = UrlTemplate(template).origin
    assert found == origin
    assert authority is None or found.authority == authority


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("/users/{key}", "it should be like https"),
        ("ftp://h/{key}", "it should be like https"),
        ("https:///{key}", "it should be like https"),
        ("https://h:port/{key}", "it should be like https"),
        ("https://{key}.example.com/", "it should be like https"),
        ("https://ex ample.com/{key}", "it should be like https"),
        ("https://[::1/{key}", "it should be like https"),
        (f"https://{'a' * 64}.com/{{key}}", "it should be like https"),
        ("https://h/{key}\n", "it has characters that no URL has"),
        ("https://tom:hunter2@h/{key}", "it should have no credentials"),
        ("https://tom@h/{key}", "it should have no credentials"),
        ("https://h/users?pass=hunter2", "it has no {key}"),
        ("https://h/{key}#hunter2", "it should have no fragment"),
        ("https://h/?{key}=hunter2", "{key} should be in its path, or in a value"),
        ("https://h/{id}/{key}", "its one placeholder should be {key}"),
        ("https://h/{key:s}", "it has no {key}"),
        ("https://h/a/../{key}", r"its path should have no . or .. in it"),
    ],
)
def test_a_template_that_can_not_work_is_refused_in_words_without_it(
    template: str, words: str
) -> None:
    with pytest.raises(InvalidSource) as refused:
        UrlTemplate(template)
    assert refused.value.setting == "url"
    assert str(refused.value).startswith(words)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/people/1", "/people/1"),
        ("2", "/users/2"),
        ("?id=3", "/users/Tom?id=3"),
        ("https://api.example.com/x", "/x"),
        ("https://API.example.com:443/x#part", "/x"),
        ("https://api.example.com", "/"),
        ("../../../x", "/x"),
        ("/a b/%41/\xc3\xa9", "/a%20b/%41/%C3%A9"),
        ("\\\\evil.example/x", "/users/%5C%5Cevil.example/x"),
        ("https://tom@api.example.com/x", "/x"),
    ],
)
def test_a_redirect_within_the_origin_is_a_target(location: str, target: str) -> None:
    assert UrlOrigin("https", "api.example.com", 443).follow("/users/Tom", location) == target


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "http://api.example.com/x",
        "https://api.example.com:444/x",
        "https://api.example.com.evil.example/x",
        "https://api.example.com@evil.example/x",
        "https://api.example.com:x/",
        "https://[::1/",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_a_redirect_elsewhere_is_none(location: str) -> None:
    assert UrlOrigin("https", "api.example.com", 443).follow("/users/Tom", location) is None

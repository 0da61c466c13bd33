import pytest

from cache_core import RetrieverFailed, SourceUnavailable, Terms, Value
from cache_core.sources.http.reply import Reply, conditions, value_of

NOW = 784_111_777.0
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
HELD = Value(b"630", ttl=-5.0, age=65.0, version='"1"', terms=Terms(content_type="text/plain"))


def said(reply: Reply, held: Value | None = None, *, cache_control: bool = False) -> Value | None:
    found = value_of(reply, held=held, cache_control=cache_control, now=NOW)
    assert not isinstance(found, bytes)
    return found


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ({}, Value(b"x")),
        ({"content-type": "image/png"}, Value(b"x", terms=Terms(content_type="image/png"))),
        (
            {"content-type": "text/html; charset=utf-8"},
            Value(b"x", terms=Terms(content_type="text/html; charset=utf-8")),
        ),
        ({"content-type": "nonsense"}, Value(b"x")),
        ({"content-type": "text/plain, text/html"}, Value(b"x")),
        ({"content-type": f"text/{'x' * 255}"}, Value(b"x")),
        ({"etag": '"1"'}, Value(b"x", version='"1"')),
        ({"etag": 'W/"1"', "last-modified": DATE}, Value(b"x", version='W/"1"')),
        ({"last-modified": DATE}, Value(b"x", version=DATE)),
        ({"etag": "1", "last-modified": DATE}, Value(b"x", version=DATE)),
        ({"etag": f'"{"x" * 1024}"'}, Value(b"x")),
        ({"last-modified": "today"}, Value(b"x")),
        ({"cache-control": "max-age=60", "age": "20"}, Value(b"x")),
    ],
)
def test_a_reply_has_a_value_with_its_type_and_version(
    headers: dict[str, str], value: Value
) -> None:
    assert said(Reply(200, headers, b"x")) == value


def test_a_reply_says_its_time_to_live_where_that_is_wanted() -> None:
    headers = {"cache-control": "max-age=60", "age": "20"}
    assert said(Reply(200, headers, b"x"), cache_control=True) == Value(b"x", ttl=40.0, age=20.0)
    assert said(Reply(200, {}, b"x"), cache_control=True) == Value(b"x")


@pytest.mark.parametrize("status", [404, 410])
def test_no_such_key_is_none(status: int) -> None:
    assert said(Reply(status, {})) is None
    assert said(Reply(status, {}), HELD) is None


def test_no_content_is_an_empty_value() -> None:
    assert said(Reply(204, {})) == Value(b"")


@pytest.mark.parametrize(
    ("headers", "times"),
    [
        ({}, {"ttl": None, "age": 0.0}),
        ({"cache-control": "max-age=60", "age": "20"}, {"ttl": 40.0, "age": 20.0}),
        ({"etag": '"2"'}, {"ttl": None, "age": 0.0, "version": '"2"'}),
    ],
)
def test_what_has_not_changed_is_held_with_new_times(
    headers: dict[str, str], times: dict[str, object]
) -> None:
    assert said(Reply(304, headers), HELD, cache_control=True) == HELD._replace(**times)  # type: ignore[arg-type] # fields by name


def test_what_has_changed_is_new() -> None:
    assert said(Reply(200, {"etag": '"2"'}, b"631"), HELD) == Value(b"631", version='"2"')


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, RetrieverFailed, r"refuses the credentials \(401\)"),
        (403, RetrieverFailed, r"refuses the credentials \(403\)"),
        (407, RetrieverFailed, r"refuses the credentials \(407\)"),
        (400, RetrieverFailed, "the source answers 400"),
        (206, RetrieverFailed, "the source answers 206"),
        (202, RetrieverFailed, "the source answers 202"),
        (302, RetrieverFailed, "the source answers 302"),
        (304, RetrieverFailed, "the source answers 304"),
        (418, RetrieverFailed, "the source answers 418"),
        (408, SourceUnavailable, r"can't answer now \(408\)"),
        (425, SourceUnavailable, r"can't answer now \(425\)"),
        (429, SourceUnavailable, r"can't answer now \(429\)"),
        (500, SourceUnavailable, r"can't answer now \(500\)"),
        (503, SourceUnavailable, r"can't answer now \(503\)"),
    ],
)
def test_other_statuses_are_errors(status: int, kind: type[Exception], words: str) -> None:
    with pytest.raises(RetrieverFailed, match=words) as failed:
        said(Reply(status, {}))
    assert type(failed.value) is kind


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("999999", 3600.0), (DATE, None), ("-1", None), ("9" * 5000, None), ("²", None)],
)
def test_a_source_says_when_to_try_again(text: str, seconds: float | None) -> None:
    with pytest.raises(SourceUnavailable) as failed:
        said(Reply(503, {"retry-after": text}))
    assert failed.value.retry_after == seconds


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ('"1"', {"If-None-Match": '"1"'}),
        ('W/"é"', {"If-None-Match": 'W/"é"'}),
        (DATE, {"If-Modified-Since": DATE}),
        ("", {}),
        ("17", {}),
        ('"1"\r\nX: y"', {}),
        ('"Ω"', {}),
    ],
)
def test_only_a_version_that_http_gave_is_asked_about(
    version: str, headers: dict[str, str]
) -> None:
    assert conditions(version) == headers

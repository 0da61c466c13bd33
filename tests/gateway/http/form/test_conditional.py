import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.form.compression import CODINGS, IDENTITY
from gateway.http.form.conditional import Verdict, digest, entity_tag, judge, range_holds

ETAG = '"abc"'


def test_an_etag_is_strong_and_differs_by_bytes_by_form_and_by_coding() -> None:
    tags = {
        entity_tag(digest(content_type, body), coding)
        for content_type in ("text/plain", "text/html")
        for body in (b"", b"a", b"b")
        for coding in CODINGS
    }
    assert len(tags) == 2 * 3 * len(CODINGS)
    assert all(tag.startswith('"') and tag.endswith('"') for tag in tags)
    assert digest("a", b"b") == digest("a", b"b")


@pytest.mark.parametrize(
    "field",
    [ETAG, "*", " * ", '"x", "abc"', '"x","abc" ,"y"', 'W/"abc"', 'W/"x", W/"abc"', '"a,b", "abc"'],
)
def test_if_none_match_compares_weakly_and_takes_lists(field: str) -> None:
    assert judge({"if-none-match": field}, ETAG) is Verdict.NOT_MODIFIED


@pytest.mark.parametrize("field", ["", '"x"', "abc", 'w/"abc', '"x", *', '"ABC"', '"x,"abc'])
def test_if_none_match_that_names_another_is_no_reason_to_stop(field: str) -> None:
    assert judge({"if-none-match": field}, ETAG) is Verdict.GO_ON


@pytest.mark.parametrize("field", [ETAG, "*", '"x", "abc"', 'W/"x", "abc"'])
def test_if_match_takes_lists(field: str) -> None:
    assert judge({"if-match": field}, ETAG) is Verdict.GO_ON


@pytest.mark.parametrize("field", ["", '"x"', 'W/"abc"', "abc", '"x", *'])
def test_if_match_compares_strongly(field: str) -> None:
    assert judge({"if-match": field}, ETAG) is Verdict.FAILED


def test_if_match_comes_before_if_none_match() -> None:
    assert judge({"if-match": '"x"', "if-none-match": ETAG}, ETAG) is Verdict.FAILED
    assert judge({"if-match": ETAG, "if-none-match": ETAG}, ETAG) is Verdict.NOT_MODIFIED


def test_conditions_on_dates_are_ignored_for_values_have_none() -> None:
    date = "Sun, 22 Nov 2026 00:00:00 GMT"
    fields = {"if-modified-since": date, "if-unmodified-since": date}
    assert judge(fields, ETAG) is Verdict.GO_ON


@pytest.mark.parametrize(
    ("if_range", "holds"),
    [
        (None, True),
        (ETAG, True),
        ('W/"abc"', False),
        ('"x"', False),
        ("Sun, 22 Nov 2026 00:00:00 GMT", False),
        ("*", False),
        ("", False),
    ],
)
def test_if_range_holds_for_the_strong_etag_alone(if_range: str | None, *, holds: bool) -> None:
    assert range_holds(if_range, ETAG) is holds


@given(st.text(), st.binary(max_size=8))
def test_any_text_is_judged_and_a_list_with_the_etag_matches(field: str, body: bytes) -> None:
    etag = entity_tag(digest("text/plain", body), IDENTITY)
    judge({"if-none-match": field, "if-match": field}, etag)
    quotes = '"' if field.count('"') % 2 else ""
    listed = f"{field}{quotes}, {etag}"
    assert judge({"if-none-match": listed}, etag) is Verdict.NOT_MODIFIED

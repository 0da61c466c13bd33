from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache_core import (
    Answer,
    Demand,
    KeyRequired,
    NotCached,
    NotFound,
    SourceUnavailable,
    Terms,
    Value,
)
from gateway.http.caching import demand, freshness, of_error, of_value, seconds_until_other

DATA = b"630"
TERMS = Terms(stale_while_revalidate=30.9, stale_if_error=600)


@pytest.mark.parametrize(
    ("value", "cache_control", "age"),
    [
        (Value(DATA), "no-cache", "0"),
        (Value(DATA, None, 90.5, terms=TERMS), "no-cache", "90"),
        (Value(DATA, 60), "max-age=60", "0"),
        (Value(DATA, 37.9, 22.9), "max-age=59", "22"),
        (Value(DATA, 0.5, 0.5), "max-age=0", "0"),
        (
            Value(DATA, 37, 23, terms=TERMS),
            "max-age=60, stale-while-revalidate=30, stale-if-error=600",
            "23",
        ),
        (Value(DATA, 1, terms=Terms(stale_if_error=0.9)), "max-age=1", "0"),
        (Value(DATA, -0.5, 60.5, terms=Terms(30)), "max-age=59, stale-while-revalidate=30", "60"),
        (Value(DATA, -10, 5), "max-age=0", "5"),
        (Value(DATA, inf), "max-age=2147483647", "0"),
        (Value(DATA, -inf, 5), "max-age=0", "5"),
        (Value(DATA, 1e300, 1e300), "max-age=2147483647", "2147483647"),
    ],
)
def test_a_value_may_be_kept_for_what_is_left_past_its_age(
    value: Value, cache_control: str, age: str
) -> None:
    headers = of_value(value, private=False)
    assert headers["Cache-Control"] == cache_control
    assert headers["Age"] == age


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_cache_that_counts_by_age_keeps_a_value_for_the_whole_seconds_left(
    ttl: float, age: float
) -> None:
    headers = of_value(Value(DATA, ttl, age), private=False)
    kept = int(headers["Cache-Control"].removeprefix("max-age=")) - int(headers["Age"])
    if ttl >= 0:
        assert ttl - 1 < kept <= ttl
    else:
        assert kept <= 0


@pytest.mark.parametrize(
    ("value", "expires"),
    [
        (Value(DATA, 37.9, 22.9), "37"),
        (Value(DATA, 0.5, 59.5), "0"),
        (Value(DATA, -10, 70, terms=TERMS), "0"),
        (Value(DATA, inf), "2147483647"),
        (Value(DATA), None),
    ],
)
def test_nginx_which_counts_by_no_age_is_told_what_is_left(
    value: Value, expires: str | None
) -> None:
    assert of_value(value, private=False).get("X-Accel-Expires") == expires


def test_nginx_is_not_told_to_keep_what_is_for_one_user() -> None:
    assert "X-Accel-Expires" not in of_value(Value(DATA, 60), private=True)


def test_an_authenticated_answer_is_private() -> None:
    assert of_value(Value(DATA, 60), private=True)["Cache-Control"] == "private, max-age=60"
    assert of_value(Value(DATA), private=True)["Cache-Control"] == "private, no-cache"
    remembered = NotFound("words", ttl=9)
    assert of_error(remembered, private=True)["Cache-Control"] == "private, max-age=9"


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (Value(DATA, 37.9, answer=Answer.HIT), "hit; ttl=37"),
        (Value(DATA, answer=Answer.HIT), "hit"),
        (Value(DATA, 60, stored=True), "fwd=miss; stored"),
        (Value(DATA, stored=True), "fwd=miss; stored"),
        (Value(DATA, 60), "fwd=miss"),
        (Value(DATA, 60, answer=Answer.COLLAPSED, stored=True), "fwd=miss; stored; collapsed"),
        (Value(DATA, -1.5, answer=Answer.COLLAPSED), "fwd=miss; collapsed"),
        (Value(DATA, -11.5, answer=Answer.STALE), "fwd=stale; ttl=-12"),
        (Value(DATA, -11.5, answer=Answer.STALE_ERROR), "fwd=stale; ttl=-12"),
        (Value(DATA, 60, answer=Answer.RELOAD, stored=True), "fwd=request; stored"),
        (Value(DATA, 60, answer=Answer.RELOAD), "fwd=request"),
    ],
)
def test_the_cache_status_says_how_the_node_came_by_it(value: Value, status: str) -> None:
    value = value._replace(node="10.0.0.1:8080")
    assert of_value(value, private=False)["Cache-Status"] == f'"10.0.0.1:8080"; {status}'


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("[::1]:8080", '"[::1]:8080"'),
        ("node-1.example:8080", '"node-1.example:8080"'),
        (None, '"gaocache"'),
        ('a"b\\c\r\nX: y ä', r'"a\"b\\c??X: y ?"'),
    ],
)
def test_the_cache_status_names_the_node_as_a_string(node: str | None, name: str) -> None:
    status = of_value(Value(DATA, node=node, answer=Answer.HIT), private=False)["Cache-Status"]
    assert status == f"{name}; hit"


@pytest.mark.parametrize(
    ("error", "cache_control"),
    [
        (KeyRequired(), "no-store"),
        (SourceUnavailable("words"), "no-store"),
        (ZeroDivisionError(), "no-store"),
        (NotFound.of("k"), "no-store"),
        (NotCached.of("k"), "no-store"),
        (NotFound("words", ttl=9.9), "max-age=9"),
        (NotFound("words", ttl=-1), "max-age=0"),
    ],
)
def test_an_error_is_not_kept_but_for_a_missing_key_that_is_remembered(
    error: Exception, cache_control: str
) -> None:
    assert of_error(error, private=False) == {"Cache-Control": cache_control}


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, Demand.ANY),
        ({"cache-control": "no-cache"}, Demand.NEW),
        ({"cache-control": "Only-If-Cached"}, Demand.CACHED),
        ({"cache-control": "max-age=0, no-cache , only-if-cached"}, Demand.CACHED),
        ({"cache-control": 'x="no-cache, only-if-cached", ,='}, Demand.ANY),
        ({"cache-control": "no-cached"}, Demand.ANY),
        ({"pragma": "x, No-Cache"}, Demand.NEW),
        ({"pragma": "only-if-cached"}, Demand.ANY),
        ({"pragma": "no-cache", "cache-control": "max-age=5"}, Demand.ANY),
        ({"pragma": "no-cache", "cache-control": ""}, Demand.ANY),
    ],
)
def test_a_request_says_what_may_answer_it(fields: dict[str, str], wanted: Demand) -> None:
    assert demand(fields) is wanted


@given(st.text())
def test_any_cache_control_is_read(cache_control: str) -> None:
    assert demand({"cache-control": cache_control}) in Demand


def aged(value: Value, seconds: float) -> Value:
    ttl = None if value.ttl is None else value.ttl - seconds
    return value._replace(age=value.age + seconds, ttl=ttl)


EIGHTHS = st.integers(-80, 800).map(lambda eighths: eighths / 8)


@given(EIGHTHS.map(abs), st.none() | EIGHTHS)
def test_it_is_said_for_how_long_the_freshness_stays_as_it_is(
    age: float, ttl: float | None
) -> None:
    value = Value(DATA, ttl, age)
    left = seconds_until_other(value)
    said = freshness(value, private=False)
    for sixteenths in range(round(left * 16)):
        assert freshness(aged(value, sixteenths / 16), private=False) == said
    assert freshness(aged(value, left + 1 / 16), private=False) != said


@pytest.mark.parametrize("ttl", [inf, -inf, 1e300])
def test_it_is_not_said_for_what_no_cache_can_read(ttl: float) -> None:
    assert seconds_until_other(Value(DATA, ttl)) == 0

import time
from collections.abc import Iterator

import pytest

from cache_core.sources.http.freshness import MOST_SECONDS, lifetime

NOW = 784_111_777.0
"""Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples."""
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
A_MINUTE_LATER = "Sun, 06 Nov 1994 08:50:37 GMT"


@pytest.mark.parametrize(
    ("headers", "ttl", "age"),
    [
        ({}, None, 0),
        ({"cache-control": "public"}, None, 0),
        ({"cache-control": "max-age=60"}, 60, 0),
        ({"cache-control": "Max-Age=60"}, 60, 0),
        ({"cache-control": 'max-age="60"'}, 60, 0),
        ({"cache-control": "public, max-age=60 , must-revalidate"}, 60, 0),
        ({"cache-control": "max-age=60, s-maxage=10"}, 10, 0),
        ({"cache-control": "s-maxage=0, max-age=60"}, 0, 0),
        ({"cache-control": "max-age=60, max-age=10"}, 60, 0),
        ({"cache-control": 'ext="max-age=5, no-store", max-age=60'}, 60, 0),
        ({"cache-control": "max-age=99999999999999999999"}, MOST_SECONDS, 0),
        ({"cache-control": f"max-age={'9' * 10_000}"}, MOST_SECONDS, 0),
        ({"cache-control": "max-age=60", "age": "20"}, 40, 20),
        ({"cache-control": "max-age=60", "age": "100"}, -40, 100),
        ({"cache-control": "max-age=60", "age": "20, 50"}, 40, 20),
        ({"cache-control": "max-age=60", "age": "-1"}, 60, 0),
        ({"cache-control": "max-age=60", "age": "soon"}, 60, 0),
        ({"age": "20"}, None, 20),
        ({"cache-control": "no-store"}, 0, 0),
        ({"cache-control": "no-cache, max-age=60"}, 0, 0),
        ({"cache-control": "private, max-age=60"}, 0, 0),
        ({"cache-control": 'private="X-Id", max-age=60'}, 0, 0),
        ({"cache-control": "max-age=60", "vary": "*"}, 0, 0),
        ({"cache-control": "max-age=60", "vary": "Accept"}, 60, 0),
        ({"cache-control": "max-age=-1"}, 0, 0),
        ({"cache-control": "max-age=1.5"}, 0, 0),
        ({"cache-control": "max-age=soon"}, 0, 0),
        ({"cache-control": "max-age"}, 0, 0),
        ({"cache-control": "max-age=٣"}, 0, 0),
        ({"expires": A_MINUTE_LATER, "date": DATE}, 60, 0),
        ({"expires": A_MINUTE_LATER, "date": "Sun, 06 Nov 1994 08:50:07 GMT"}, 30, 0),
        ({"expires": A_MINUTE_LATER}, 60, 0),
        ({"expires": A_MINUTE_LATER, "date": "today"}, 60, 0),
        ({"expires": A_MINUTE_LATER, "date": DATE, "age": "50"}, 10, 50),
        ({"expires": "Sunday, 06-Nov-94 08:50:37 GMT", "date": DATE}, 60, 0),
        ({"expires": "Sun Nov  6 08:50:37 1994", "date": DATE}, 60, 0),
        ({"expires": DATE, "date": A_MINUTE_LATER}, 0, 0),
        ({"expires": "0", "date": DATE}, 0, 0),
        ({"expires": "-1"}, 0, 0),
        ({"expires": A_MINUTE_LATER, "cache-control": "max-age=10"}, 10, 0),
        ({"expires": A_MINUTE_LATER, "cache-control": "no-cache"}, 0, 0),
    ],
)
def test_a_reply_says_how_long_it_is_fresh(
    headers: dict[str, str], ttl: float | None, age: float
) -> None:
    assert lifetime(headers, NOW) == (ttl, age)


@pytest.fixture
def far_west(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock on the wall is ten hours behind."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "FAR10")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_west")
@pytest.mark.parametrize("expires", [A_MINUTE_LATER, "Sun Nov  6 08:50:37 1994"])
def test_dates_are_those_of_greenwich_wherever_the_machine_is(expires: str) -> None:
    assert lifetime({"expires": expires, "date": DATE}, NOW) == (60, 0)

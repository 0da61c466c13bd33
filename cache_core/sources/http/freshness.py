"""How long a response is fresh, by its own headers. Pure: knows no clock.

RFC 9111, sections 4.2 (freshness), 5.1 (Age), 5.2.2 (Cache-Control), 5.3 (Expires). Its rules for a
shared cache hold; heuristics are not used.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.request import parse_http_list

MOST_SECONDS: Final = 2**31
"""The largest number of seconds; a larger one counts as this (RFC 9111, section 1.2.2)."""

_SECONDS: Final = re.compile(r"[0-9]+")
_NOT_REUSED: Final = frozenset({"no-store", "no-cache", "private"})


class Lifetime(NamedTuple):
    """The freshness of a response: its TTL and its age, in seconds.

    `ttl` is for how long the response stays fresh: zero or below where it is stale, None where its
    headers do not tell.
    """

    ttl: float | None
    age: float


def lifetime(headers: Mapping[str, str], now: float) -> Lifetime:
    """Return the freshness of a response with `headers`, which have lower-case names.

    `now` is when the response came, in seconds since the epoch: it stands in for a missing Date. A
    response is stale if its lifetime is malformed, or if it may not be reused without asking.
    """
    age = _seconds(headers.get("age", "").partition(",")[0].strip()) or 0.0
    fresh = _fresh_seconds(headers, now)
    return Lifetime(None if fresh is None else fresh - age, age)


def _fresh_seconds(headers: Mapping[str, str], now: float) -> float | None:
    directives = _directives(headers.get("cache-control", ""))
    if _NOT_REUSED & directives.keys() or headers.get("vary", "").strip() == "*":
        return 0.0
    for name in ("s-maxage", "max-age"):
        if name in directives:
            return _seconds(directives[name]) or 0.0
    if "expires" in headers:
        expires = _moment(headers["expires"])
        date = _moment(headers.get("date", ""))
        since = now if date is None else date
        return 0.0 if expires is None else max(0.0, expires - since)
    return None


def _directives(field: str) -> dict[str, str]:
    """Return each directive's argument, empty where it has none; of two alike, the first."""
    found: dict[str, str] = {}
    for member in parse_http_list(field):
        name, _, argument = member.partition("=")
        found.setdefault(name.strip().lower(), argument.strip().strip('"'))
    return found


def _seconds(text: str) -> float | None:
    if not _SECONDS.fullmatch(text):
        return None
    # A number with more digits than the limit exceeds it, and `int` refuses thousands of digits.
    return float(min(int(text), MOST_SECONDS) if len(text) <= 10 else MOST_SECONDS)


def _moment(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()

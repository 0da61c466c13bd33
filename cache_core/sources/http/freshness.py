"""How long an answer is fresh, by its own words. Pure: knows no clock.

RFC 9111, sections 4.2 (freshness), 5.1 (Age), 5.2.2 (Cache-Control), 5.3 (Expires). As a shared
cache; without heuristics.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.request import parse_http_list

MOST_SECONDS: Final = 2**31
"""What a larger number counts as (section 1.2.2)."""

_SECONDS: Final = re.compile(r"[0-9]+")
_NOT_REUSED: Final = frozenset({"no-store", "no-cache", "private"})


class Lifetime(NamedTuple):
    """`ttl`: the seconds left, below zero where stale, None where unsaid; `age` in seconds."""

    ttl: float | None
    age: float


def lifetime(headers: Mapping[str, str], now: float) -> Lifetime:
    """Return what a response with `headers`, by lower-case names, says of its freshness.

    `now` is when it came, in seconds since the epoch: it stands in for a missing Date. What is
    malformed, or may not be reused without asking, is stale.
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
    # More digits than the limit has are more than it, and `int` refuses thousands of them.
    return float(min(int(text), MOST_SECONDS) if len(text) <= 10 else MOST_SECONDS)


def _moment(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()

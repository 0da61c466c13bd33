"""Caching over HTTP: a request's demand, and an answer's freshness for other caches. Pure.

RFC 9111 (Cache-Control, Age), RFC 5861 (stale directives), RFC 9211 (Cache-Status).
"""

import re
from collections.abc import Mapping
from math import floor
from typing import Final, NamedTuple

from cache_core.errors import NotFound
from cache_core.value import Answer, Demand, Terms, Value
from gateway.http.fields import members

MAX_SECONDS: Final = 2**31 - 1
"""The most seconds that every cache can read (RFC 9111, section 1.2.2)."""

UNKNOWN_NODE: Final = "gaocache"

_UNQUOTABLE: Final = re.compile(r"[^ -~]")
_ESCAPED: Final = re.compile(r'(["\\])')

_LOADED: Final = frozenset({Answer.MISS, Answer.COLLAPSED, Answer.RELOAD})


def demand(fields: Mapping[str, str]) -> Demand:
    """Return the demand of a request with `fields`, whose names are in lower case.

    `only-if-cached` goes before `no-cache`, because it forbids any load. Pragma counts only where
    there is no Cache-Control (RFC 9111, section 5.4). Other directives and malformed ones are
    passed over.
    """
    said = fields.get("cache-control", fields.get("pragma", ""))
    names = {member.partition("=")[0].strip().lower() for member in members(said)}
    if "only-if-cached" in names and "cache-control" in fields:
        return Demand.CACHED
    return Demand.NEW if "no-cache" in names else Demand.ANY


class Lifetime(NamedTuple):
    """A value's freshness as headers tell it: its times are whole seconds, rounded down.

    `ttl` is None where the value stays fresh without end. `is_private` says that the value may be
    kept for one user only.
    """

    age: int
    ttl: int | None
    answer: Answer
    node: str | None
    terms: Terms
    is_stored: bool
    is_private: bool


def freshness(value: Value, *, private: bool) -> Lifetime:
    """Return the lifetime of `value`; it is `private` where it may be kept for one user only."""
    _, ttl, age, answer, node, terms, is_stored, *_ = value
    return Lifetime(
        _seconds(age),
        None if ttl is None else _seconds(ttl),
        answer,
        node,
        terms,
        is_stored,
        private,
    )


def seconds_until_other(value: Value) -> float:
    """Return for how many seconds the `freshness` of `value` stays the same as it grows older.

    It changes as soon as the age or the TTL, rounded down to whole seconds, does.
    """
    until_older = 1 - _bounded(value.age) % 1
    return until_older if value.ttl is None else min(until_older, _bounded(value.ttl) % 1)


def of_value(value: Value, *, private: bool) -> dict[str, str]:
    """Return the headers about caching of an answer with `value`, as `headers` does."""
    return headers(freshness(value, private=private))


def headers(freshness: Lifetime) -> dict[str, str]:
    """Return Cache-Control, Age, Cache-Status and X-Accel-Expires of an answer with such a value.

    A cache that counts by Age keeps the answer for as long as the node would, and stale for as long
    as the group allows. nginx does not count by Age, so `X-Accel-Expires` tells it the seconds that
    are left; nginx removes this header from the answer.
    """
    said = {
        "Cache-Control": ", ".join([*_visibility(freshness.is_private), *_directives(freshness)]),
        "Age": str(freshness.age),
        "Cache-Status": _status(freshness),
    }
    # nginx heeds it before Cache-Control, so it is not sent where Cache-Control forbids keeping.
    if freshness.ttl is not None and not freshness.is_private:
        said["X-Accel-Expires"] = str(max(freshness.ttl, 0))
    return said


def of_error(error: Exception, *, private: bool) -> dict[str, str]:
    """Return the Cache-Control of the answer to a request that ended in `error`.

    There is no Cache-Status, because that is for answers that a cache received or stored, and not
    for answers that it makes itself (RFC 9211, section 2).
    """
    if not isinstance(error, NotFound) or error.ttl is None:
        return {"Cache-Control": "no-store"}
    directives = [*_visibility(private), f"max-age={max(_seconds(error.ttl), 0)}"]
    return {"Cache-Control": ", ".join(directives)}


def _visibility(private: bool) -> tuple[str, ...]:
    return ("private",) if private else ()


def _directives(freshness: Lifetime) -> list[str]:
    if freshness.ttl is None:
        return ["no-cache"]
    # Caches subtract Age from max-age, and so keep the answer for the TTL (RFC 9111, section 4.2).
    lifetime = max(freshness.age + freshness.ttl, 0)
    directives = [f"max-age={min(lifetime, MAX_SECONDS)}"]
    for name, seconds in (
        ("stale-while-revalidate", _seconds(freshness.terms.stale_while_revalidate)),
        ("stale-if-error", _seconds(freshness.terms.stale_if_error)),
    ):
        if seconds > 0:
            directives.append(f"{name}={seconds}")
    return directives


def _status(freshness: Lifetime) -> str:
    status = [_quoted(freshness.node or UNKNOWN_NODE)]
    answer = freshness.answer
    match answer:
        case Answer.HIT:
            status.append("hit")
        case Answer.STALE | Answer.STALE_ERROR:
            status.append("fwd=stale")
        case Answer.MISS | Answer.COLLAPSED | Answer.RELOAD:
            status.append("fwd=request" if answer is Answer.RELOAD else "fwd=miss")
            if freshness.is_stored:
                status.append("stored")
            if answer is Answer.COLLAPSED:
                status.append("collapsed")
    if freshness.ttl is not None and answer not in _LOADED:
        status.append(f"ttl={freshness.ttl}")
    return "; ".join(status)


def _quoted(name: str) -> str:
    """Return `name` as a string of RFC 8941.

    A token will not do, because it can't begin with a digit or a bracket, as addresses do.
    """
    return '"' + _ESCAPED.sub(r"\\\1", _UNQUOTABLE.sub("?", name)) + '"'


def _seconds(seconds: float) -> int:
    return floor(seconds) if -MAX_SECONDS < seconds < MAX_SECONDS else floor(_bounded(seconds))


def _bounded(seconds: float) -> float:
    return max(-MAX_SECONDS, min(seconds, MAX_SECONDS))

"""The meaning of a source's reply: a value, no such key, or an error. Pure: does no I/O.

RFC 9110, sections 8.8 (validators), 13.1 (conditional requests), 15 (status codes).
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import Retrieved
from cache_core.settings import is_media_type
from cache_core.sources.http.freshness import Lifetime, lifetime
from cache_core.value import Terms, Value

WITH_VALUE: Final = frozenset({200, 203})
NO_SUCH_KEY: Final = frozenset({404, 410})
NO_ACCESS: Final = frozenset({401, 403, 407})
_NO_CONTENT: Final = 204
_NOT_MODIFIED: Final = 304
_NOT_NOW: Final = frozenset({408, 425, 429})
_FIRST_OF_SERVERS_OWN: Final = 500

MAX_RETRY_AFTER: Final = 3600.0
MAX_VERSION: Final = 1024
_ETAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_DATE: Final = re.compile(r"[A-Z][A-Za-z0-9,: -]+ GMT")


class Reply(NamedTuple):
    """An HTTP reply: its status, its headers, and its body with the content coding undone.

    The headers have lower-case names, and a character for each byte of their values. The body is
    empty unless the status is in WITH_VALUE.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def conditions(version: str) -> dict[str, str]:
    """Return the headers that ask whether the value of this `version` has changed.

    There are none where `version` is neither an ETag nor a date.
    """
    if not _is_version(version):
        return {}
    return {"If-None-Match" if version.endswith('"') else "If-Modified-Since": version}


def value_of(
    reply: Reply, *, held: Value | None = None, cache_control: bool, now: float
) -> Retrieved:
    """Return the reply's value, None for no such key, or `held` with new times if unchanged.

    With `cache_control` the reply says for how long the value is fresh; `now` is when the reply
    came, in seconds since the epoch. Raises the error that `failure_of` returns.
    """
    failure = failure_of(reply, conditional=held is not None)
    if failure is not None:
        raise failure
    if reply.status in NO_SUCH_KEY:
        return None
    ttl, age = lifetime(reply.headers, now) if cache_control else Lifetime(None, 0.0)
    version = _version(reply.headers)
    if held is not None and reply.status == _NOT_MODIFIED:
        return held._replace(ttl=ttl, age=age, version=version or held.version)
    terms = Terms(content_type=_content_type(reply.headers))
    return Value(reply.body, ttl=ttl, age=age, version=version, terms=terms)


def failure_of(reply: Reply, *, conditional: bool = False) -> RetrieverFailed | None:
    """Return the error that the reply means; None where it means a value or no such key.

    With `conditional`, a 304 is no error. The error is SourceUnavailable where the same request may
    be answered later.
    """
    status = reply.status
    if status in WITH_VALUE | NO_SUCH_KEY or status == _NO_CONTENT:
        return None
    if status == _NOT_MODIFIED and conditional:
        return None
    if status in NO_ACCESS:
        return RetrieverFailed(f"the source refuses the credentials ({status})")
    if status in _NOT_NOW or status >= _FIRST_OF_SERVERS_OWN:
        error = SourceUnavailable(f"the source can't answer now ({status})")
        error.retry_after = _retry_after(reply.headers)
        return error
    return RetrieverFailed(f"the source answers {status}")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit() and len(text) < len("10000000000")):
        return None
    return min(float(text), MAX_RETRY_AFTER)


def _version(headers: Mapping[str, str]) -> str:
    """Return the strongest validator: the ETag, else Last-Modified, empty where there is none."""
    known = (headers.get("etag", ""), headers.get("last-modified", ""))
    return next(filter(_is_version, known), "")


def _is_version(text: str) -> bool:
    matches = _ETAG.fullmatch(text) or _DATE.fullmatch(text)
    return matches is not None and len(text) <= MAX_VERSION


def _content_type(headers: Mapping[str, str]) -> str:
    found = headers.get("content-type", "")
    return found if is_media_type(found) else ""

"""The raw request target to a group and a key: decoded exactly once, strictly. Pure.

`http.md` of the design, RFC 3986 section 2.1 (percent-encoding) and the URL standard's
application/x-www-form-urlencoded for the query.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.limits import Limits

_MALFORMED_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class MalformedTarget(ValueError):
    """The target names no group and key; `reason` is a stable word for why."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Target(NamedTuple):
    """The group and the key that a request is about, decoded."""

    group: str
    key: str


def from_path(group: str, key: str, limits: Limits) -> Target:
    """Return the target of a path's still encoded parts. Raises MalformedTarget."""
    return _checked(_decode(group.encode("latin-1")), _decode(key.encode("latin-1")), limits)


def from_query(group: str, query: bytes, limits: Limits) -> Target:
    """Return the target of a still encoded group and of the query's one `key`.

    Without a `key` the key is empty. Raises MalformedTarget.
    """
    keys = [
        _decode(value.replace(b"+", b" "))
        for name, _, value in (field.partition(b"=") for field in query.split(b"&"))
        if _decode(name.replace(b"+", b" ")) == "key"
    ]
    if len(keys) > 1:
        raise MalformedTarget("one-key-only", f"the query has {len(keys)} keys, it takes one")
    return _checked(_decode(group.encode("latin-1")), keys[0] if keys else "", limits)


def _decode(encoded: bytes) -> str:
    if _MALFORMED_ESCAPE.search(encoded):
        raise MalformedTarget("malformed-escape", "a % should be followed by two hex digits")
    try:
        return unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError as error:
        raise MalformedTarget("invalid-encoding", "groups and keys should be UTF-8") from error


def _checked(group: str, key: str, limits: Limits) -> Target:
    for reason, text, limit in (
        ("group-too-long", group, limits.group_bytes),
        ("key-too-long", key, limits.key_bytes),
    ):
        size = len(text.encode())
        if size > limit:
            raise MalformedTarget(reason, f"it has {size} bytes, the limit is {limit}")
    return Target(group, key)

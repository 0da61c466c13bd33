"""The decoding of a raw request target into a group and a key: exactly once, strictly. Pure.

RFC 3986, section 2.1 (percent-encoding); for the query, the URL standard's
application/x-www-form-urlencoded.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.http.limits import Limits

_MALFORMED_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class MalformedTarget(ValueError):
    """A target does not name one group and one key within the limits.

    `reason` is a stable word for the cause.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Target(NamedTuple):
    """The group and the key that a request is about, decoded."""

    group: str
    key: str


def from_path(group: str, key: str, limits: Limits) -> Target:
    """Return the target of a path's still encoded parts. Raises MalformedTarget."""
    decoded = Target(group_of(group, limits), _decode(key.encode("latin-1")))
    check_key(decoded.key, limits)
    return decoded


def from_query(group: str, query: bytes, limits: Limits) -> Target:
    """Return the target of a still encoded `group` and of the query's one `key`.

    Without a `key` the key is empty. Raises MalformedTarget.
    """
    keys = keys_of(query)
    if len(keys) > 1:
        raise MalformedTarget("one-key-only", f"the query has {len(keys)} keys, it takes one")
    target = Target(group_of(group, limits), keys[0] if keys else "")
    check_key(target.key, limits)
    return target


def group_of(group: str, limits: Limits) -> str:
    """Return the name of the group in a path's still encoded part. Raises MalformedTarget."""
    decoded = _decode(group.encode("latin-1"))
    _check_size("group-too-long", decoded, limits.group_bytes)
    return decoded


def keys_of(query: bytes) -> list[str]:
    """Return every `key` of the query, decoded and of any size. Raises MalformedTarget."""
    return [
        _decode(value.replace(b"+", b" "))
        for name, _, value in (field.partition(b"=") for field in query.split(b"&"))
        if name == b"key" or (_is_odd(name) and _decode(name.replace(b"+", b" ")) == "key")
    ]


def check_key(key: str, limits: Limits) -> None:
    """Raise MalformedTarget for a key that is too long."""
    _check_size("key-too-long", key, limits.key_bytes)


def _is_odd(name: bytes) -> bool:
    """Tell whether a name has to be decoded to be known: few have, of up to 4,000 in a query."""
    return b"%" in name or not name.isascii()


def _decode(encoded: bytes) -> str:
    if b"%" in encoded:
        if _MALFORMED_ESCAPE.search(encoded):
            raise MalformedTarget("malformed-escape", "a % should be followed by two hex digits")
        encoded = unquote_to_bytes(encoded)
    try:
        return encoded.decode()
    except UnicodeDecodeError as error:
        raise MalformedTarget("invalid-encoding", "groups and keys should be UTF-8") from error


def _check_size(reason: str, name: str, limit: int) -> None:
    size = len(name) if name.isascii() else len(name.encode(errors="surrogatepass"))
    if size > limit:
        raise MalformedTarget(reason, f"it has {size} bytes, the limit is {limit}")

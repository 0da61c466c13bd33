"""The check that a retriever's answer keeps its contract. Knows no loads."""

import sys
from math import inf
from typing import Final

from cache_core.errors import NotFound, RetrieverFailed
from cache_core.loading.retriever import Retrieved
from cache_core.settings import is_media_type
from cache_core.value import Value

MAX_VERSION: Final = 1_024
"""The longest version that is kept, in characters; a value with a longer one has none."""

_MOST: Final = sys.float_info.max


def checked(found: Retrieved, key: str, *, group: str) -> Value:
    """Return as a Value what the retriever of `group` has `found` for `key`.

    Raises NotFound for None, and RetrieverFailed where `fault_of` finds a fault.
    """
    if found is None:
        raise NotFound.of(key)
    value = found if isinstance(found, Value) else Value(found)
    wrong = fault_of(value)
    if wrong is not None:
        raise RetrieverFailed(f"the retriever of group {group} returned {wrong}")
    return value if len(value.version) <= MAX_VERSION else value._replace(version="")


def fault_of(value: Value) -> str | None:
    """Return which part of `value` no retriever may return, None where all is right."""
    # Their types allow nothing wrong, but a retriever may be untyped code.
    data: object = value.data
    version: object = value.version
    content_type = value.terms.content_type
    if not isinstance(data, bytes):
        return f"{type(data).__name__}, not bytes"
    if value.ttl is not None and not _is_time(value.ttl):
        return f"the ttl {_shown(value.ttl)}, not seconds or None"
    if not _is_time(value.age) or not 0 <= value.age < inf:
        return f"the age {_shown(value.age)}, not seconds from 0 on"
    if not isinstance(version, str) or not _is_utf8(version):
        return f"the version {version!r}, not a text"
    if content_type and not is_media_type(content_type):
        return f"the content type {content_type!r}, not a media type"
    return None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_time(given: object) -> bool:
    """Return whether `given` is a number that can be added to a clock's: NaN and others can't."""
    return isinstance(given, int | float) and (abs(given) <= _MOST or abs(given) == inf)


def _shown(given: object) -> str:
    is_endless = isinstance(given, int) and abs(given) > _MOST  # Python may refuse to write it out
    return "of too many digits" if is_endless else repr(given)

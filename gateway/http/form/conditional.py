"""Validators (ETags), and the verdict of a request's preconditions. Pure.

RFC 9110, sections 8.8.3 (ETag) and 13 (conditional requests). Values have no date of change, so
the conditions on dates are ignored, as section 13.1 says.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from gateway.http.form.compression import IDENTITY

DIGEST_BYTES: Final = 16

_ENTITY_TAG: Final = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


class Verdict(Enum):
    """The outcome of the preconditions of a GET or HEAD."""

    GO_ON = auto()
    NOT_MODIFIED = auto()
    """304."""
    FAILED = auto()
    """412."""


def digest(content_type: str, body: bytes) -> str:
    """Return a hash, 32 hexadecimal digits, that tells this form of a value from all others."""
    hashed = _begun(content_type).copy()
    hashed.update(body)
    return hashed.hexdigest()


@lru_cache
def _begun(content_type: str) -> blake2b:  # once a type, not once a body
    return blake2b(content_type.encode() + b"\0", digest_size=DIGEST_BYTES)


def entity_tag(digest: str, coding: str) -> str:
    """Return the strong ETag of the form with this `digest`, in the content coding `coding`."""
    return f'"{digest}"' if coding == IDENTITY else f'"{digest}-{coding}"'


def judge(fields: Mapping[str, str], etag: str) -> Verdict:
    """Return the verdict of the preconditions in `fields` on a form with the strong `etag`.

    RFC 9110, section 13.2.2.
    """
    if_match = fields.get("if-match")
    if if_match is not None and not _names(if_match, etag, weakly=False):
        return Verdict.FAILED
    if_none_match = fields.get("if-none-match")
    if if_none_match is not None and _names(if_none_match, etag, weakly=True):
        return Verdict.NOT_MODIFIED
    return Verdict.GO_ON


def range_holds(if_range: str | None, etag: str) -> bool:
    """Tell whether `if_range` lets a range be answered: it is missing, or equals `etag`.

    A date or a weak tag never equals a strong ETag.
    """
    return if_range is None or if_range.strip() == etag


def _names(field: str, etag: str, *, weakly: bool) -> bool:
    if field.strip() == "*":
        return True
    tags = _ENTITY_TAG.findall(field)
    return any(tag == etag and (weakly or not weak) for weak, tag in tags)

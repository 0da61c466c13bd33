"""A batch read: the keys that it asks for, and an item for each. Pure."""

import json
from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import quote

from pydantic import BaseModel, Field, JsonValue

from cache_core.value import Value
from gateway.http import problems
from gateway.http.addressing import MalformedTarget
from gateway.http.budget import Share
from gateway.http.form.representation import NOT_UTF_8, Encoding, as_item
from gateway.http.limits import Limits
from gateway.http.problems import Problem, Refused
from gateway.http.request_head import shortened

_TOLD_CHARACTERS: Final = 256
"""More characters of a key than are ever told of one that is too long."""


class BatchKeys(BaseModel):
    """The keys to read; an item each is answered, in this order."""

    keys: list[str] = Field(
        description="At most 1,000; a key may be there twice.",
        examples=[["Tom", "NotExist"]],
        max_length=Limits().batch_keys,
    )


class BatchValue(BaseModel):
    """A key that has a value; `encoding` says how to read it."""

    key: str = Field(examples=["Tom"])
    value: JsonValue = Field(
        description="Text, or where `encoding` is `json` the document itself.", examples=["630"]
    )
    encoding: Literal["utf-8", "base64", "json"] = Field(
        description="As in the JSON form of a single key.", examples=["utf-8"]
    )


class BatchProblem(BaseModel):
    """A key that has none, and the problem that a get of it alone would be answered with."""

    key: str = Field(examples=["NotExist"])
    problem: Problem


class Batch(BaseModel):
    """An item for each key that was asked for, in that order."""

    items: list[BatchValue | BatchProblem]


class Room:
    """The bytes that an answer may still take; there are `size` of them at the beginning.

    What it takes is also the request's `share` of what all requests may hold.
    """

    def __init__(self, size: int, share: Share) -> None:
        self._left = size
        self._share = share

    def take(self, size: int) -> bool:
        """Take `size` bytes and return True; where fewer are left, take none and return False.

        A `size` below 0 gives bytes back. Raises Refused (503) where all requests hold too much.
        """
        if size > self._left:
            return False
        self._share.take(size)
        self._left -= size
        return True


def check_count(keys: Sequence[object], limits: Limits) -> None:
    """Raise Refused (400) for too many keys."""
    if len(keys) > limits.batch_keys:
        words = f"the batch has {len(keys)} keys, the limit is {limits.batch_keys}"
        raise Refused(400, "too-many-keys", words)


def value_item(path: str, key: str, value: Value, encoding: Encoding | None) -> bytes:
    """Return the item for a key with a value; `path` is that of the group's keys.

    The item is a problem (406) where `encoding` asks for UTF-8 and the value is not UTF-8.
    """
    try:
        return as_item(key, value, encoding)
    except UnicodeDecodeError:
        return problem_item(path, key, Refused(406, "not-acceptable", NOT_UTF_8))


def problem_item(path: str, key: str, error: Exception) -> bytes:
    """Return the item for a key whose get ended in `error`; `path` is that of the group's keys."""
    if isinstance(error, MalformedTarget):  # the key may have megabytes, of which few are told
        encoded = shortened(quote(key[:_TOLD_CHARACTERS], errors="surrogatepass"))
    else:
        encoded = quote(key, errors="surrogatepass")
    problem, _ = problems.describe(error, f"{path}/{encoded}")
    # With escapes, because a key may have a lone surrogate.
    name = json.dumps(key).encode()
    return b'{"key":%b,"problem":%b}' % (name, problem.model_dump_json(exclude_none=True).encode())


def too_large(limits: Limits) -> Refused:
    """Return the refusal of an item for which the answer has no room."""
    words = f"the batch's answer would have more than {limits.batch_bytes} bytes, get less at once"
    return Refused(413, "batch-too-large", words)

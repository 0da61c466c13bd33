"""The keys that a batch's body asks for. Pure.

It is read no further than to its first fault, and to one key too many: to make all of a document
before its keys are counted would hold everybody up for 200 ms, where 4 MiB of it are empty lists.
"""

import json
import re
from typing import Final

from gateway.http.limits import Limits
from gateway.http.problems import Refused

MOST_BESIDE: Final = 64 * 1024
"""The longest body, in characters, that may have something beside its keys."""

_DECODER: Final = json.JSONDecoder()
_OTHERS: Final = frozenset("[{-0123456789tfn")
"""How what is no string begins."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")


def keys_in(text: str, limits: Limits) -> list[str]:
    """Return the keys that the JSON document `text` asks for. Raises Refused (400)."""
    try:
        return _Body(text, limits.batch_keys).keys()
    except json.JSONDecodeError as error:
        words = f"line {error.lineno}, column {error.colno} of the body: {error.msg}"
        raise _malformed(words) from error
    except (ValueError, RecursionError) as error:  # a number of too many digits, too many levels
        raise _malformed("the body is no JSON that can be read") from error


class _Body:
    """A body that is read from its begin on; of two lists of keys the last one counts, as in JSON.

    All of it raises JSONDecodeError, Refused, ValueError and RecursionError.
    """

    def __init__(self, text: str, most: int) -> None:
        self._text = text
        self._most = most
        self._at = 0

    def keys(self) -> list[str]:
        keys: list[str] | None = None
        if self._next() != "{":
            raise _unlike()
        self._at += 1
        if self._next() == "}":
            raise _unlike()
        while True:
            name = self._string("a name in quotes is missing")
            self._take(":")
            if name == "keys":
                keys = self._list()
            else:
                self._skip()
            if self._take(",", "}") == "}":
                break
        if self._next():
            raise json.JSONDecodeError("something comes behind the document", self._text, self._at)
        if keys is None:
            raise _unlike()
        return keys

    def _list(self) -> list[str]:
        if self._next() != "[":
            raise _unlike()
        self._at += 1
        keys: list[str] = []
        if self._next() == "]":
            self._at += 1
            return keys
        while True:
            if self._next() in _OTHERS:
                raise _malformed(f"keys[{len(keys)}] should be a string")
            keys.append(self._string("a string is missing"))
            if len(keys) > self._most:
                words = f"the batch has more than {self._most} keys, the limit"
                raise Refused(400, "too-many-keys", words)
            if self._take(",", "]") == "]":
                return keys

    def _string(self, otherwise: str) -> str:
        if self._next() != '"':
            raise json.JSONDecodeError(otherwise, self._text, self._at)
        found, self._at = _DECODER.raw_decode(self._text, self._at)
        return str(found)

    def _skip(self) -> None:
        if len(self._text) > MOST_BESIDE:
            raise _malformed("a body of this size should have its `keys` alone")
        self._next()
        _, self._at = _DECODER.raw_decode(self._text, self._at)

    def _take(self, *expected: str) -> str:
        found = self._next()
        if found not in expected:
            words = f"{' or '.join(expected)} is missing"
            raise json.JSONDecodeError(words, self._text, self._at)
        self._at += 1
        return found

    def _next(self) -> str:
        """Pass over white space; return the character behind it, empty at the end."""
        match = _SPACE.match(self._text, self._at)
        self._at = self._at if match is None else match.end()
        return self._text[self._at : self._at + 1]


def _malformed(words: str) -> Refused:
    return Refused(400, "malformed-body", words)


def _unlike() -> Refused:
    return _malformed('the body should be like {"keys":["Tom","Jack"]}')

"""A value's forms, and which of them a request asked for. Pure.

RFC 9110, section 12 (negotiation).
"""

import base64
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple, NoReturn, TypeAlias

import mimeparse
from pydantic import BaseModel, Field, JsonValue

from cache_core.value import Value
from gateway.http.fields import members

JSON: Final = "application/json"
RAW: Final = "application/octet-stream"
TEXT: Final = "text/plain"

Alt: TypeAlias = Literal["json", "media"]
"""The query's `alt`: the JSON form or the exact bytes, whatever the Accept header says."""

Encoding: TypeAlias = Literal["utf-8", "base64"]
"""The query's `encoding`: the JSON form with the value encoded so."""

NOT_UTF_8: Final = "the value is not UTF-8, there is encoding=base64"

_ANYTHING: Final = frozenset({"", "*/*", JSON})
_NAME: Final = r"[!#$%&'+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE: Final = re.compile(rf"{_NAME}/{_NAME}(?:[ \t]*;[ \t]*{_NAME}=[ -~]+)?")

_text: Final = json.JSONEncoder(ensure_ascii=False).encode
"""Returns a text as JSON, in a tenth of the time that encoding an object of texts takes."""


class KeyValue(BaseModel):
    """A key and its value; `encoding` says how to read `value`."""

    group: str = Field(examples=["scores"])
    key: str = Field(examples=["Tom"])
    value: JsonValue = Field(
        description="Text, or where `encoding` is `json` the document itself.", examples=["630"]
    )
    encoding: Literal["utf-8", "base64", "json"] = Field(
        description="`utf-8` where the bytes are valid UTF-8, else `base64` (padded); `json` "
        "where the group declares `application/json` and they are.",
        examples=["utf-8"],
    )


class Wish(NamedTuple):
    """A wish for a form; `encoding` goes before `alt`, `alt` before `accept`."""

    accept: str = ""
    alt: Alt | None = None
    encoding: Encoding | None = None


class Representation(NamedTuple):
    """A form of a value: `body`, under the Content-Type `content_type`.

    `is_raw` where the body is the value's exact bytes; `is_attachment` where a browser should
    keep it and not show it.
    """

    content_type: str
    body: bytes
    is_raw: bool = False
    is_attachment: bool = False


class NotAcceptable(Exception):
    """The value has no form that the request accepts; the words say which forms there are."""


def represent(wish: Wish, group: str, key: str, value: Value) -> Representation:
    """Return the form that was asked for. Raises NotAcceptable."""
    declared = _declared(value)
    if wish.encoding is not None:
        try:
            return Representation(JSON, as_json(group, key, value, wish.encoding))
        except UnicodeDecodeError as error:
            raise NotAcceptable(NOT_UTF_8) from error
    if wish.alt == "media":
        return _raw(declared or RAW, value)
    if wish.alt == "json" or wish.accept in _ANYTHING:
        return Representation(JSON, as_json(group, key, value))
    there_is = _offers(value, declared)
    chosen = choose(wish.accept, there_is)
    if chosen is None:
        *others, last = there_is
        raise NotAcceptable(f"there is {', '.join(others)} and {last}")
    if chosen == JSON:
        return Representation(JSON, as_json(group, key, value))
    return _raw(there_is[chosen], value)


def choose(accept: str, offers: Iterable[str]) -> str | None:
    """Return the one of `offers` that `accept` prefers, or None where it wants none of them.

    Quality values are honoured; of equals the more specific match is taken, then the earlier
    offer. Members that can't be parsed are passed over. A header without any other member accepts
    anything, as an empty one does (RFC 9110, section 12.5.1).
    """
    ranges = []
    for member in members(accept.lower()):
        try:
            ranges.append(mimeparse.parse_media_range(member))
        except mimeparse.MimeTypeParseException:
            continue
    if not ranges:
        return next(iter(offers))
    fits = {offer: mimeparse.quality_and_fitness_parsed(offer, ranges) for offer in offers}
    best = max(fits, key=lambda offer: fits[offer])
    quality, _ = fits[best]
    return best if quality else None


def as_json(group: str, key: str, value: Value, encoding: Encoding | None = None) -> bytes:
    """Return the JSON form, compact, with `encoding` or else the one that suits the value.

    Raises UnicodeDecodeError where `encoding` is `utf-8` and the bytes are not UTF-8.
    """
    return _with_value(f'"group":{_text(group)},"key":{_text(key)}', value, encoding)


def as_item(key: str, value: Value, encoding: Encoding | None = None) -> bytes:
    """Return the JSON form as an item of a batch, without the group, which all items share.

    Raises UnicodeDecodeError as `as_json` does.
    """
    return _with_value(f'"key":{_text(key)}', value, encoding)


def _with_value(names: str, value: Value, encoding: Encoding | None) -> bytes:
    read, how = _readable(value, encoding)
    return b'{%b,"value":%b,"encoding":"%b"}' % (names.encode(), read, how)


def _readable(value: Value, encoding: Encoding | None) -> tuple[bytes, bytes]:
    """Return the value as JSON, and the encoding by which it is to be read."""
    declared = _declared(value)
    if encoding is None and declared and _essence(declared) == JSON and _is_json(value.data):
        return value.data, b"json"
    if encoding != "base64":
        try:
            return _text(value.data.decode()).encode(), b"utf-8"
        except UnicodeDecodeError:
            if encoding is not None:
                raise
    return b'"%b"' % base64.b64encode(value.data), b"base64"


def _offers(value: Value, declared: str) -> dict[str, str]:
    """Return the media types that there are, best first, each with its whole Content-Type."""
    offers = {JSON: JSON}
    if declared:
        offers.setdefault(_essence(declared), declared)
    offers.setdefault(RAW, RAW)
    if _is_text(value.data):
        offers.setdefault(TEXT, f"{TEXT}; charset=utf-8")
    return offers


def _raw(content_type: str, value: Value) -> Representation:
    is_attachment = content_type == RAW and not _declared(value)
    return Representation(content_type, value.data, is_raw=True, is_attachment=is_attachment)


def _declared(value: Value) -> str:
    """Return the declared content type, "" where there is none or it is no media type."""
    return _media_type(value.terms.content_type)


@lru_cache
def _media_type(declared: str) -> str:  # once a group, not once a value
    return declared if _MEDIA_TYPE.fullmatch(declared) else ""


def _essence(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_json(data: bytes) -> bool:
    """Tell whether `data` is one document of RFC 8259, which has neither NaN nor Infinity."""
    try:
        # Numbers stay text: they may be of any length.
        json.loads(data.decode(), parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)

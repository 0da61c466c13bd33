"""A value's forms, and which of them a request asked for. Pure."""

import base64
import json
from typing import Final, Literal, TypeAlias

import mimeparse
from pydantic import BaseModel, Field

from cache_core.value import Value

JSON: Final = "application/json"
RAW: Final = "application/octet-stream"

Alt: TypeAlias = Literal["json", "media"]
"""The query's `alt`: the JSON form or the exact bytes, whatever the Accept header says."""

_MEDIA_TYPE_OF_ALT: Final[dict[Alt, str]] = {"json": JSON, "media": RAW}


class KeyValue(BaseModel):
    """A key and its value; `encoding` says how to read `value`."""

    group: str = Field(examples=["scores"])
    key: str = Field(examples=["Tom"])
    value: str = Field(examples=["630"])
    encoding: Literal["utf-8", "base64"] = Field(
        description="`utf-8` where the bytes are valid UTF-8, else `base64` (padded).",
        examples=["utf-8"],
    )


def choose(accept: str, alt: Alt | None) -> str | None:
    """Return the media type to answer with, or None where nothing there is was asked for.

    Quality values are honoured; JSON wins a tie. A header that can't be parsed asks for
    anything, as does an empty one or none (RFC 9110, section 12.5.1).
    """
    if alt is not None:
        return _MEDIA_TYPE_OF_ALT[alt]
    if not accept:
        return JSON
    try:
        best: str = mimeparse.best_match([RAW, JSON], accept)
    except mimeparse.MimeTypeParseException:
        return JSON
    return best or None


def as_json(group: str, key: str, value: Value) -> bytes:
    """Return the JSON form, compact."""
    try:
        text, encoding = value.data.decode(), "utf-8"
    except UnicodeDecodeError:
        text, encoding = base64.b64encode(value.data).decode(), "base64"
    return json.dumps(
        {"group": group, "key": key, "value": text, "encoding": encoding},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()

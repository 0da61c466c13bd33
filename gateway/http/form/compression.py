"""Content codings: which a request accepts, and which is worth it. Pure.

RFC 9110, sections 8.4.1 and 12.5.3; RFC 8878 (zstd, which needs the extra `zstd`).
"""

import gzip
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from gateway.http.fields import members

try:
    from backports import zstd
except ImportError:
    zstd = None  # type: ignore[assignment] # the extra is not installed

IDENTITY: Final = "identity"
MIN_BYTES: Final = 1024
"""A body of at most so many bytes is sent as it is: it fits into a packet or two anyway."""

GZIP_LEVEL: Final = 6
ZSTD_LEVEL: Final = 3

_WEIGHT: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_UNLISTED: Final = 0.0001
"""The weight of plain bytes where the field does not name them: below any listed one but 0."""

_COMPRESSIBLE: Final = re.compile(
    r"text/.*|application/(?:json|javascript|xml|yaml|toml|wasm|graphql|x-ndjson|sql)"
    r"|.*\+(?:json|xml|yaml)|image/(?:bmp|x-icon|vnd\.microsoft\.icon)|font/(?:ttf|otf)"
)

# The time is left out (mtime=0), so that equal bytes have equal codings.
_COMPRESS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    **({"zstd": partial(zstd.compress, level=ZSTD_LEVEL)} if zstd else {}),
    "gzip": partial(gzip.compress, compresslevel=GZIP_LEVEL, mtime=0),
}

CODINGS: Final = (*_COMPRESS, IDENTITY)
"""The codings that can be sent, best first."""


def choose(accept_encoding: str | None, content_type: str, size: int) -> str | None:
    """Return the coding for a body of `size` bytes, or None where every coding is refused.

    Quality values are honoured; the better coding wins a tie. A body that is small, or of a type
    that does not get smaller, is sent as it is, unless that is refused (`identity;q=0`).
    """
    if accept_encoding is None:
        return IDENTITY
    weights = _weights(accept_encoding)
    if weights[IDENTITY] and (size <= MIN_BYTES or not _is_compressible(content_type)):
        return IDENTITY
    best = max(CODINGS, key=lambda coding: weights[coding])
    return best if weights[best] else None


def accepts_identity(accept_encoding: str | None) -> bool:
    """Tell whether plain bytes are accepted: they are, unless `accept_encoding` refuses them."""
    return accept_encoding is None or _weights(accept_encoding)[IDENTITY] > 0


def compress(coding: str, body: bytes) -> bytes:
    """Return `body` in `coding`, one of CODINGS."""
    return body if coding == IDENTITY else _COMPRESS[coding](body)


def _weights(accept_encoding: str) -> dict[str, float]:
    """Return the weight from 0 to 1 of each of CODINGS; a malformed member is passed over."""
    listed: dict[str, float] = {}
    for member in members(accept_encoding.lower()):
        name, _, parameter = (text.strip() for text in member.partition(";"))
        key, _, weight = (text.strip() for text in parameter.partition("="))
        if not parameter:
            listed[_ALIASES.get(name, name)] = 1.0
        elif key == "q" and _WEIGHT.fullmatch(weight):
            listed[_ALIASES.get(name, name)] = float(weight)
    others = listed.get("*", 0.0)
    return {
        **{coding: listed.get(coding, others) for coding in _COMPRESS},
        IDENTITY: listed.get(IDENTITY, listed.get("*", _UNLISTED)),
    }


_ALIASES: Final = {"x-gzip": "gzip"}


def _is_compressible(content_type: str) -> bool:
    return _COMPRESSIBLE.fullmatch(content_type.partition(";")[0].strip().lower()) is not None

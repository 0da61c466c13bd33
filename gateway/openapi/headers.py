"""The header fields of answers, as components of the document.

RFC 9110 (ETag, Vary, ranges, Retry-After), 9111 (Cache-Control, Age), 9211 (Cache-Status).
"""

from typing import Any, Final

from cache_core.value import Value
from gateway.http.addressing import Target
from gateway.http.form.decision import Get, decide
from gateway.http.form.representation import JSON, Wish

NODE: Final = "127.0.0.1:8080"
"""The node of the examples."""

_TOM: Final = decide(
    Get(Target("scores", "Tom"), Wish(), {}), Value(b"630", node=NODE, stored=True)
).headers
"""The headers of the answer with the demo's Tom, got for the first time."""


def header(*names: str) -> dict[str, Any]:
    """Return a response's `headers`, each of `names` as a reference to HEADERS."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def uncached(*names: str) -> dict[str, Any]:
    """Return the `headers` of a response that no cache may keep, with `names` besides."""
    return {"Cache-Control": {"$ref": "#/components/headers/Uncached"}, **header(*names)}


def optional(*names: str) -> dict[str, Any]:
    """Return a response's `headers` with `names`, which not every answer of the kind has."""
    return {name: {**HEADERS[name], "required": False} for name in names}


def _text(description: str, example: str, *, always: bool = True) -> dict[str, Any]:
    return {
        "description": description,
        "required": always,
        "schema": {"type": "string"},
        "example": example,
    }


def _seconds(description: str, example: int) -> dict[str, Any]:
    return {
        "description": description,
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
        "example": example,
    }


HEADERS: Final[dict[str, Any]] = {
    "Accept": _text("The media type that is taken, where it is at fault.", JSON, always=False),
    "Accept-Encoding": _text(
        "The coding that is taken, where it is at fault.", "identity", always=False
    ),
    "Accept-Ranges": _text("`bytes` on the exact bytes, which have parts.", "bytes", always=False),
    "Age": _seconds("Seconds since the value was as new as its source.", int(_TOM["Age"])),
    "Cache-Control": _text(
        "For how long a cache may keep the answer: `max-age` counts from `Age`; with "
        "`stale-while-revalidate` and `stale-if-error` where the group has them; `no-cache` "
        "without a TTL; `private` where the request had `Authorization`. A problem is "
        "`no-store`, but the 404 of a group that remembers it.",
        _TOM["Cache-Control"],
    ),
    "Cache-Status": _text(
        "How the node came by the value (RFC 9211): `hit`; or `fwd=stale`; or `fwd=miss`, or "
        "`fwd=request` on `no-cache`, with `stored`, and `collapsed` where a load was shared. "
        "`ttl` is the seconds left.",
        _TOM["Cache-Status"],
    ),
    "Content-Disposition": _text(
        "`attachment` on bytes for which the group declares no content type.",
        "attachment",
        always=False,
    ),
    "Content-Encoding": _text(
        "The coding: `gzip`, or `zstd` where it is installed, of text above 1 KiB.",
        "gzip",
        always=False,
    ),
    "Content-Range": _text("Which part of how many bytes.", "bytes 0-1/3"),
    "Content-Security-Policy": _text(
        "A value is stored content, never a page.", _TOM["Content-Security-Policy"]
    ),
    "ETag": _text(
        "A strong validator of this form of the value in this coding.",
        _TOM["ETag"],
    ),
    "Retry-After": _seconds("In how many seconds the request may succeed.", 1),
    "Uncached": _text("The `Cache-Control` of what is true for a moment only.", "no-store"),
    "Vary": _text("What chooses the form and the coding.", _TOM["Vary"]),
    "X-Content-Type-Options": _text("No type is to be guessed.", "nosniff"),
}

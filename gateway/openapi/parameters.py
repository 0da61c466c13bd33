"""The parameters that the routes read off the raw request, as components of the document.

`Accept` is not among them, because OpenAPI reads it off the responses' media types and has a
parameter of that name ignored.
"""

from typing import Any, Final

from gateway.http.limits import Limits

KEY: Final = "key"


def parameters(*names: str) -> dict[str, Any]:
    """Return the `openapi_extra` of an operation that heeds `names` of PARAMETERS.

    FastAPI adds these parameters to the operation's own.
    """
    return {"parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names]}


def _field(name: str, description: str, **examples: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
        "examples": {which: {"value": value} for which, value in examples.items()},
    }


PARAMETERS: Final[dict[str, Any]] = {
    KEY: {
        "name": "key",
        "in": "query",
        "required": True,
        "description": "The key, form-encoded: send `%2B` for a plus; at most 1,024 bytes. "
        "Several are a batch, of at most 1,000.",
        "schema": {
            "type": "array",
            "minItems": 1,
            "maxItems": Limits().batch_keys,
            "items": {"type": "string", "minLength": 1, "maxLength": Limits().key_bytes},
        },
        "examples": {"Tom": {"value": ["Tom"]}},
    },
    "Accept-Encoding": _field(
        "Accept-Encoding",
        "The codings that are understood: text above 1 KiB comes as `gzip`, or as `zstd` where "
        "it is installed. Quality values are honoured.",
        gzip="gzip",
    ),
    "Cache-Control": _field(
        "Cache-Control",
        "`no-cache` has the value loaded anew where the group allows it; `only-if-cached` is "
        "answered 504 rather than loaded. What else there is, is passed over.",
        anew="no-cache",
    ),
    "If-Match": _field("If-Match", "ETags, or `*`: 412 where the form has none of them.", any="*"),
    "If-None-Match": _field(
        "If-None-Match",
        "ETags, or `*`: 304 where the form has one of them. Compared weakly.",
        another='"another"',
    ),
    "If-Range": _field(
        "If-Range",
        "The strong ETag of the bytes that `Range` is a part of; the whole where it changed.",
        another='"another"',
    ),
    "Range": _field(
        "Range",
        "A part of the exact bytes, `bytes=FIRST-LAST`: 206. Several ranges are answered with "
        "the whole, as is what is no range; none that there is with 416. The JSON form has no "
        "parts.",
        first="bytes=0-1",
    ),
}

"""The parameters and responses of the operations that answer with a key's value."""

from typing import Any, Final

from cache_core.errors import (
    KeyRequired,
    NotFound,
    Overloaded,
    RetrieverFailed,
    ValueTooLarge,
)
from gateway.http.form.representation import JSON, RAW, TEXT
from gateway.http.problems import Refused
from gateway.openapi.headers import NODE, header, optional
from gateway.openapi.parameters import KEY, parameters
from gateway.openapi.problems import TOO_MANY, late, problem, too_long, unreachable
from gateway.openapi.resources import BATCH_ITEMS, Responses

VALUE_PARAMETERS: Final = parameters(
    "Accept-Encoding", "Cache-Control", "If-Match", "If-None-Match", "If-Range", "Range"
)
QUERY_PARAMETERS: Final = parameters(
    KEY, "Accept-Encoding", "Cache-Control", "If-Match", "If-None-Match", "If-Range", "Range"
)

_TOM: Final = {"group": "scores", "key": "Tom"}
_ALWAYS: Final = (
    *("ETag", "Cache-Control", "Age", "Cache-Status"),
    *("Vary", "Content-Security-Policy", "Accept-Ranges"),
)
_BYTES: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}

_SUCCESSES: Final[Responses] = {
    200: {
        "description": "The value, in the form that `Accept`, `alt` or `encoding` asks for. A "
        "group may declare another media type for its bytes.",
        "headers": header(*_ALWAYS, "Content-Disposition", "Content-Encoding"),
        "content": {
            JSON: {
                "examples": {
                    "utf-8": {
                        "summary": "Text",
                        "value": {**_TOM, "value": "630", "encoding": "utf-8"},
                    },
                    "base64": {
                        "summary": "The same bytes with `encoding=base64`, as others always come",
                        "value": {**_TOM, "value": "NjMw", "encoding": "base64"},
                    },
                }
            },
            RAW: {**_BYTES, "examples": {"bytes": {"value": "630"}}},
            TEXT: {"schema": {"type": "string"}, "examples": {"text": {"value": "630"}}},
        },
    },
    206: {
        "description": "The part of the exact bytes that `Range` asks for.",
        "headers": header(*_ALWAYS, "Content-Range", "Content-Disposition"),
        "content": {RAW: {**_BYTES, "examples": {"first": {"value": "63"}}}},
    },
    304: {
        "description": "`If-None-Match` names the form's ETag.",
        "headers": header(*_ALWAYS),
    },
}


def value_responses(path: str) -> Responses:
    """Return the responses of a get by `path`, which may have the placeholder `{key}`."""
    tom = path.format(key="Tom")
    return {
        **_SUCCESSES,
        400: problem(
            "The group, the key, a parameter or the timeout is malformed or too long, or the "
            "key is empty.",
            KeyRequired(node=NODE),
            path.format(key=""),
        ),
        404: problem(
            "There is no such key, or no such group.",
            NotFound("NotExist not exist", node=NODE),
            path.format(key="NotExist"),
        ),
        406: problem(
            "There is no form of the value that `Accept`, `Accept-Encoding` or `encoding` asks "
            "for; `detail` says what there is.",
            Refused(406, "not-acceptable", f"there is {JSON}, {RAW} and {TEXT}"),
            tom,
        ),
        412: problem(
            "`If-Match` does not name the form's ETag.",
            Refused(412, "precondition-failed", "If-Match does not name the value's ETag"),
            tom,
        ),
        414: too_long(path.format(key="k" * TOO_MANY)),
        416: problem(
            "The value has nothing of what `Range` asks for.",
            Refused(416, "range-not-satisfiable", "the value has 3 bytes"),
            tom,
            "Content-Range",
            "Accept-Ranges",
        ),
        429: problem(
            "More loads are waiting than the node takes.",
            Overloaded("group scores has 64 loads under way, try later", node=NODE),
            tom,
            "Retry-After",
        ),
        500: problem(
            "The source is at fault.",
            RetrieverFailed("the source of group scores failed", node=NODE),
            tom,
        ),
        502: problem(
            "The value is larger than 4 MiB.",
            ValueTooLarge("the value has 5000000 bytes, the limit is 4194304", node=NODE),
            path.format(key="large"),
        ),
        503: unreachable(
            "The node or the source can't be reached now, or the gateway is draining.", tom
        ),
        504: late(
            "No answer came in time, or `only-if-cached` was asked for what is not held.", tom
        ),
    }


def query_responses(path: str) -> Responses:
    """Return the responses of a get by `path` with keys in the query: a value, or a batch."""
    found = value_responses(path)
    one = found[200]
    examples = one["content"][JSON]["examples"]
    batch = {"summary": "Of several keys, an item for each", "value": BATCH_ITEMS}
    return {
        **found,
        200: {
            **one,
            "description": f"{one['description']} Of several keys, an item for each, which has "
            "no freshness: nobody may keep it.",
            "headers": {**one["headers"], **optional("Age", "Cache-Status")},
            "content": {**one["content"], JSON: {"examples": {**examples, "batch": batch}}},
        },
    }

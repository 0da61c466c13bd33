"""What the OpenAPI document says beyond what FastAPI reads off the routes."""

import json
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from cache_core.errors import (
    CacheError,
    DeadlineExceeded,
    KeyRequired,
    NotFound,
    PeerUnavailable,
    RetrieverFailed,
    ValueTooLarge,
)
from gateway import problems
from gateway.limits import Limits
from gateway.problems import Problem, Refused
from gateway.raw_target import shortened, target_too_long
from gateway.representation import JSON, RAW

NODE: Final = "127.0.0.1:8080"


def _problem(description: str, error: CacheError | Refused, *, key: str = "Tom") -> dict[str, Any]:
    """Return the response that `error` makes of a get of `key`, the example as it is answered."""
    example = problems.answer(error, shortened(f"/groups/scores/keys/{key}"))
    return {
        "description": description,
        "content": {
            problems.MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": json.loads(bytes(example.body)),
            }
        },
    }


VALUE_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The value.",
        "content": {RAW: {"schema": {"type": "string", "format": "binary"}}},
    },
    400: _problem(
        "The group or key is malformed, too long or empty.", KeyRequired(node=NODE), key=""
    ),
    404: _problem(
        "There is no such key, or no such group.",
        NotFound("NotExist not exist", node=NODE),
        key="NotExist",
    ),
    406: _problem(
        "There is no form of the value that `Accept` asks for.",
        Refused(406, "not-acceptable", f"there is {JSON} and {RAW}"),
    ),
    414: _problem(
        "The request's target is longer than 8 KiB.",
        target_too_long(9000, Limits().target_bytes),
        key="k" * 8980,
    ),
    500: _problem(
        "The source is at fault.", RetrieverFailed("the source of group scores failed", node=NODE)
    ),
    502: _problem(
        "The value is larger than 4 MiB.",
        ValueTooLarge("the value has 5000000 bytes, the limit is 4194304", node=NODE),
        key="large",
    ),
    503: _problem(
        "The node or the source can't be reached now, or the gateway is draining.",
        PeerUnavailable(f"node {NODE} can't be reached", node=NODE),
    ),
    504: _problem(
        "No answer came in time.",
        DeadlineExceeded(f"node {NODE} did not answer within the deadline", node=NODE),
    ),
}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the app's OpenAPI document."""
    found = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        license_info=app.license_info,
        tags=app.openapi_tags,
        routes=app.routes,
    )
    for path in found["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)  # a failed validation is a 400 here
    schemas = found["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema(mode="serialization")
    return found

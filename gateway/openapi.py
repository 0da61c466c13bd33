"""What the OpenAPI document says beyond what FastAPI reads off the routes."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.problems import MEDIA_TYPE, Problem
from gateway.representation import RAW


def _problem(
    description: str, *, status: int, grpc_status: str, reason: str, detail: str
) -> dict[str, Any]:
    example = Problem(
        status=status,
        detail=detail,
        instance="/groups/scores/keys/Tom",
        grpc_status=grpc_status,
        reason=reason,
        retryable=status in {503, 504},
    )
    return {
        "description": description,
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": example.model_dump(exclude_none=True),
            }
        },
    }


VALUE_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The value.",
        "content": {RAW: {"schema": {"type": "string", "format": "binary"}}},
    },
    400: _problem(
        "The group or key is malformed, too long or empty.",
        reason="key-required",
        status=400,
        grpc_status="INVALID_ARGUMENT",
        detail="key required",
    ),
    404: _problem(
        "There is no such key, or no such group.",
        reason="key-not-found",
        status=404,
        grpc_status="NOT_FOUND",
        detail="Tom not exist",
    ),
    406: _problem(
        "There is no form of the value that `Accept` asks for.",
        reason="not-acceptable",
        status=406,
        grpc_status="INVALID_ARGUMENT",
        detail="there is application/json and application/octet-stream",
    ),
    414: _problem(
        "The request's target is longer than 8 KiB.",
        reason="target-too-long",
        status=414,
        grpc_status="INVALID_ARGUMENT",
        detail="the target has 9000 bytes, the limit is 8192",
    ),
    500: _problem(
        "The source is at fault.",
        reason="source-failed",
        status=500,
        grpc_status="INTERNAL",
        detail="the source of group scores failed",
    ),
    502: _problem(
        "The value is larger than 4 MiB.",
        reason="value-too-large",
        status=502,
        grpc_status="RESOURCE_EXHAUSTED",
        detail="the value has 5000000 bytes, the limit is 4194304",
    ),
    503: _problem(
        "The node or the source can't be reached now.",
        reason="node-unavailable",
        status=503,
        grpc_status="UNAVAILABLE",
        detail="node 127.0.0.1:8080 can't be reached",
    ),
    504: _problem(
        "No answer came in time.",
        reason="deadline-exceeded",
        status=504,
        grpc_status="DEADLINE_EXCEEDED",
        detail="node 127.0.0.1:8080 did not answer within the deadline",
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

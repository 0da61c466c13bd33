"""Every error as a problem document: the one table from gRPC statuses to HTTP.

RFC 9457 (problem details), RFC 9110 (statuses), AIP-193 (reasons).
"""

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Final

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, computed_field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cache_core.errors import CacheError
from gateway.http import caching
from gateway.http.addressing import MalformedTarget

MEDIA_TYPE: Final = "application/problem+json"
CHALLENGE: Final = 'Bearer realm="gaocache"'
RETRY_AFTER_SECONDS: Final = 1.0
"""The Retry-After of a 429 or 503 for which the node names no time."""

MAX_RETRY_AFTER_SECONDS: Final = 86_400.0

HTTP_OF_STATUS: Final = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INTERNAL": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
HTTP_OF_REASON: Final = {"value-too-large": 502, "not-cached": 504}
"""The HTTP status of errors whose reason says more than their gRPC status does."""

GRPC_OF_HTTP: Final = {
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    412: "FAILED_PRECONDITION",
    413: "RESOURCE_EXHAUSTED",
    416: "OUT_OF_RANGE",
    431: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
"""The gRPC status of the gateway's own refusals; for other HTTP statuses, INVALID_ARGUMENT."""


class Problem(BaseModel):
    """Why there is no value."""

    status: int = Field(examples=[404])
    detail: str = Field(examples=["NotExist not exist"])
    instance: str = Field(
        description="The path that was asked for.", examples=["/groups/scores/keys/NotExist"]
    )
    grpc_status: str = Field(
        description="The name of the gRPC status of the same outcome.", examples=["NOT_FOUND"]
    )
    reason: str = Field(description="A stable word for programs.", examples=["key-not-found"])
    node: str | None = Field(
        default=None, description="The node that answered.", examples=["127.0.0.1:8080"]
    )
    retryable: bool = Field(
        default=False,
        description="Whether the same request may succeed later.",
        examples=[False],
    )

    @computed_field(examples=["urn:gaocache:problem:key-not-found"])
    def type(self) -> str:
        """Return a URN of the reason."""
        return f"urn:gaocache:problem:{self.reason}"

    @computed_field(examples=["Key not found"])
    def title(self) -> str:
        """Return the reason for people."""
        return self.reason.replace("-", " ").capitalize()


class Refused(Exception):
    """The gateway refuses a request by itself, with the HTTP status `status`."""

    def __init__(
        self, status: int, reason: str, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.headers = headers or {}


def answer(error: Exception, instance: str, *, private: bool = False) -> Response:
    """Return the answer to a request for the path `instance` that ended in `error`.

    An exception of a kind that is not known here is a 500 that says nothing of the cause. With
    `private`, an answer that may be kept may be kept for one user only.
    """
    problem, headers = describe(error, instance)
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={
            **caching.of_error(error, private=private),
            "X-Content-Type-Options": "nosniff",
            **headers,
        },
    )


def describe(error: Exception, instance: str) -> tuple[Problem, Mapping[str, str]]:
    """Return the problem of a request for `instance` that ended in `error`, and its own headers."""
    if isinstance(error, CacheError):
        return _of_cache_error(error, instance)
    return _of_refusal(_refusal(error), instance)


def _of_cache_error(error: CacheError, instance: str) -> tuple[Problem, Mapping[str, str]]:
    status = HTTP_OF_REASON.get(error.reason, HTTP_OF_STATUS[error.status])
    problem = Problem(
        status=status,
        detail=error.message,
        instance=instance,
        grpc_status=error.status,
        reason=error.reason,
        node=error.node,
        retryable=error.retryable,
    )
    match status:
        case 401:
            return problem, {"WWW-Authenticate": CHALLENGE}
        case 429 | 503:
            return problem, {"Retry-After": _retry_after(error)}
        case _:
            return problem, {}


def _retry_after(error: CacheError) -> str:
    seconds = RETRY_AFTER_SECONDS if error.retry_after is None else error.retry_after
    return str(ceil(min(max(seconds, 0), MAX_RETRY_AFTER_SECONDS)))


def _of_refusal(refused: Refused, instance: str) -> tuple[Problem, Mapping[str, str]]:
    problem = Problem(
        status=refused.status,
        detail=refused.detail,
        instance=instance,
        grpc_status=GRPC_OF_HTTP.get(refused.status, "INVALID_ARGUMENT"),
        reason=refused.reason,
        retryable="Retry-After" in refused.headers,
    )
    return problem, refused.headers


def _refusal(error: Exception) -> Refused:
    match error:
        case Refused():
            return error
        case MalformedTarget():
            return Refused(400, error.reason, str(error))
        case RequestValidationError():
            first = error.errors()[0]
            return Refused(400, "invalid-parameter", f"{first['loc'][1]}: {first['msg']}")
        case HTTPException():
            reason = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
            return Refused(error.status_code, reason, error.detail, headers=error.headers)
        case _:
            return Refused(500, "internal", "the gateway failed, its log says why")

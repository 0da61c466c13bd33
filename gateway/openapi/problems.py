"""Problems as responses of the document, with the answer that is really given as example."""

import json
from typing import Any, Final

from cache_core.errors import CacheError, DeadlineExceeded, PeerUnavailable
from gateway.http import problems
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.http.request_head import shortened, target_too_long
from gateway.openapi.headers import NODE, header

TOO_MANY: Final = 9000
"""A number of bytes that no request's target may have."""


def problem(
    description: str, error: CacheError | Refused, instance: str, *headers: str
) -> dict[str, Any]:
    """Return the response that `error` makes of a request for the path `instance`.

    It has `headers` besides those that every problem has.
    """
    answer = problems.answer(error, instance)
    return {
        "description": description,
        "headers": header("Cache-Control", *headers),
        "content": {
            problems.MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": json.loads(bytes(answer.body)),
            }
        },
    }


def too_long(target: str) -> dict[str, Any]:
    """Return the response to a `target` of TOO_MANY bytes or more."""
    refused = target_too_long(TOO_MANY, Limits().target_bytes)
    return problem("The request's target is longer than 8 KiB.", refused, shortened(target))


def unreachable(description: str, instance: str) -> dict[str, Any]:
    """Return the response where the node can't be reached."""
    error = PeerUnavailable(f"node {NODE} can't be reached", node=NODE)
    return problem(description, error, instance, "Retry-After")


def late(description: str, instance: str) -> dict[str, Any]:
    """Return the response where the node does not answer in time."""
    error = DeadlineExceeded(f"node {NODE} did not answer within the deadline", node=NODE)
    return problem(description, error, instance)

"""Problems as responses of the document, with the answer that is really given as example."""

import json
from typing import Any

from cache_core.errors import CacheError
from gateway import problems
from gateway.openapi.headers import header
from gateway.problems import Refused


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

"""The OpenAPI document: what FastAPI reads off the routes, and the parts that hold for all."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from gateway.http.batch import BatchKeys
from gateway.http.problems import Problem
from gateway.openapi.constraints import named
from gateway.openapi.headers import HEADERS, header
from gateway.openapi.parameters import PARAMETERS
from gateway.openapi.resources import UNHEARD

TAGS: Final = [
    {"name": "keys", "description": "Values, read through the cache, and their removal."},
    {"name": "groups", "description": "What is cached: settings and live figures."},
    {"name": "cluster", "description": "The nodes and how they share the keys out."},
    {"name": "health", "description": "For orchestrators and load balancers."},
]


def document(app: FastAPI) -> dict[str, Any]:
    """Return the app's OpenAPI document."""
    found = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        contact=app.contact,
        license_info=app.license_info,
        servers=app.servers,
        tags=app.openapi_tags,
        routes=app.routes,
    )
    _restore_examples(found["paths"], app.routes)
    found["security"] = []  # said, not left out: nobody has to log in
    for operation in _operations(found):
        operation["responses"].pop("422", None)  # a failed validation is a 400 here
        operation["responses"].update(
            {status: {"$ref": f"#/components/responses/{status}"} for status in UNHEARD}
        )
    components = found["components"]
    components["responses"] = copy.deepcopy(UNHEARD)
    for response in _responses(found):
        response.setdefault("headers", {}).update(header("X-Content-Type-Options"))
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["schemas"]["Problem"] = Problem.model_json_schema(mode="serialization")
    components["schemas"]["BatchKeys"] = BatchKeys.model_json_schema()
    components["schemas"] = named(components["schemas"])
    components["headers"] = HEADERS
    components["parameters"] = PARAMETERS
    return found


def _operations(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in found["paths"].values():
        yield from path.values()


def _responses(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each response that is described in place, and not by a reference."""
    yield from found["components"]["responses"].values()
    for operation in _operations(found):
        yield from (said for said in operation["responses"].values() if "$ref" not in said)


def _restore_examples(paths: Mapping[str, Any], routes: Sequence[BaseRoute]) -> None:
    """Put the examples of `routes` into `paths` whole: FastAPI leaves their nulls out."""
    for context in iter_route_contexts(routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            documented = paths[route.path_format][method.lower()]["responses"]
            for status, response in route.responses.items():
                for media_type, content in response.get("content", {}).items():
                    documented[str(status)]["content"][media_type].update(content)

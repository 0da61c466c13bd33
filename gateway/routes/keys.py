"""`/groups/{group}/keys`: the value of a key."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.openapi.models import Example
from pydantic.json_schema import SkipJsonSchema
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.responses import Response

from cache_core.client import Client
from gateway.addressing import Target, from_path, from_query
from gateway.limits import Limits
from gateway.openapi import VALUE_RESPONSES
from gateway.problems import Refused
from gateway.representation import JSON, RAW, Alt, KeyValue, as_json, choose

VALUE_HEADERS: Final = {
    "Vary": "Accept",
    "Content-Security-Policy": "sandbox",  # a value is stored content, never a page of ours
}

SCORES: Final[dict[str, Example]] = {"scores": {"value": "scores"}}
TOM: Final[dict[str, Example]] = {"Tom": {"value": "Tom"}}

GroupPath = Annotated[str, Path(description="The group's name.", openapi_examples=SCORES)]
AltQuery = Annotated[
    Alt | SkipJsonSchema[None],
    Query(description="The form to answer with, whatever `Accept` says: `media` is the bytes."),
]


class Segment(StringConvertor):
    """One segment of a path that may be empty, as a group's name may be in gRPC."""

    regex = "[^/]*"


register_url_convertor("segment", Segment())


def router(client: Client, limits: Limits) -> APIRouter:
    """Return the routes that get keys through `client`, within `limits`."""
    routes = APIRouter(tags=["keys"])

    async def answer(target: Target, request: Request, alt: Alt | None) -> Response:
        # Lines of one name are one list: RFC 9110, section 5.3.
        media_type = choose(", ".join(request.headers.getlist("accept")), alt)
        if media_type is None:
            raise Refused(406, "not-acceptable", f"there is {JSON} and {RAW}")
        value = await client.get(target.group, target.key, timeout=limits.timeout)
        if media_type == RAW:
            headers = {**VALUE_HEADERS, "Content-Disposition": "attachment"}
            return Response(value.data, media_type=RAW, headers=headers)
        body = as_json(target.group, target.key, value)
        return Response(body, media_type=JSON, headers=VALUE_HEADERS)

    @routes.get(
        "/groups/{group:segment}/keys/{key:path}",
        operation_id="get_key",
        summary="Get a key's value",
        response_model=KeyValue,
        responses=VALUE_RESPONSES,
    )
    async def get_key(
        request: Request,
        group: GroupPath,
        key: Annotated[
            str,
            Path(
                description="Everything after `/keys/`, slashes included; at most 1,024 bytes.",
                openapi_examples=TOM,
            ),
        ],
        alt: AltQuery = None,
    ) -> Response:
        """Return the value that the nodes have for the key, loading it where they have none.

        The JSON form says how to read `value` in `encoding`, so binary is never mangled; the
        raw form (`Accept: application/octet-stream`, or `alt=media`) is the exact bytes.
        """
        return await answer(from_path(group, key, limits), request, alt)

    @routes.get(
        "/groups/{group:segment}/keys",
        operation_id="get_key_by_query",
        summary="Get a key's value, the key in the query",
        response_model=KeyValue,
        responses=VALUE_RESPONSES,
    )
    async def get_key_by_query(
        request: Request,
        group: GroupPath,
        key: Annotated[  # noqa: ARG001 - documented here, read from the raw query
            str,
            Query(
                description="The key, form-encoded: send `%2B` for a plus.", openapi_examples=TOM
            ),
        ] = "",
        alt: AltQuery = None,
    ) -> Response:
        """Return what the path form returns.

        Clients collapse `.` and `..` in a path; here every key can be asked for.
        """
        target = from_query(group, request.scope["query_string"], limits)
        return await answer(target, request, alt)

    return routes

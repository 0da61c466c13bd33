"""`/groups/{group}/keys`: the value of a key."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from cache_core.client.client import Client
from gateway.http import caching
from gateway.http.addressing import Target, from_path, from_query, keys_of
from gateway.http.batch import Batch
from gateway.http.fields import joined
from gateway.http.form.decision import Get, decide
from gateway.http.form.representation import Alt, Encoding, KeyValue, Wish
from gateway.http.limits import Limits
from gateway.middleware.shares import share_of
from gateway.openapi.values import (
    QUERY_PARAMETERS,
    VALUE_PARAMETERS,
    query_responses,
    value_responses,
)
from gateway.routes.batch_reader import BatchReader
from gateway.routes.dependencies import EncodingQuery, GroupPath, KeyPath, Timeout
from gateway.routes.off_loop import worked

AltQuery = Annotated[
    Alt | SkipJsonSchema[None],
    Query(description="The form to answer with, whatever `Accept` says: `media` is the bytes."),
]


def router(client: Client, limits: Limits) -> APIRouter:
    """Return the routes that get keys through `client`, within `limits`."""
    routes = APIRouter(tags=["keys"])
    many = BatchReader(client, limits)

    async def answer(
        request: Request,
        target: Target,
        timeout: float,
        alt: Alt | None,
        encoding: Encoding | None,
    ) -> Response:
        fields = joined(request.headers.raw)
        wish = Wish(fields.get("accept", ""), alt, encoding)
        get = Get(target, wish, fields, is_head=request.method == "HEAD")
        value = await client.get(
            target.group, target.key, demand=caching.demand(fields), timeout=timeout
        )
        share = share_of(request)
        share.take(len(value.data))
        decision = await worked(len(value.data), decide, get, value)
        share.take(len(decision.body))
        return Response(decision.body, decision.status, decision.headers)

    @routes.head("/groups/{group:segment}/keys/{key:path}", include_in_schema=False)
    @routes.get(
        "/groups/{group:segment}/keys/{key:path}",
        operation_id="get_key",
        summary="Get a key's value",
        response_model=KeyValue,
        responses=value_responses("/groups/scores/keys/{key}"),
        openapi_extra=VALUE_PARAMETERS,
    )
    async def get_key(
        request: Request,
        group: GroupPath,
        key: KeyPath,
        timeout: Timeout,
        alt: AltQuery = None,
        encoding: EncodingQuery = None,
    ) -> Response:
        """Return the value that the nodes have for the key, loading it where they have none.

        The JSON form says how to read `value` in `encoding`, so binary is never mangled; the
        raw form (`Accept: application/octet-stream`, or `alt=media`) is the exact bytes.
        """
        return await answer(request, from_path(group, key, limits), timeout, alt, encoding)

    @routes.head("/groups/{group:segment}/keys", include_in_schema=False)
    @routes.get(
        "/groups/{group:segment}/keys",
        operation_id="get_key_by_query",
        summary="Get a key's value, the key in the query",
        response_model=KeyValue | Batch,
        responses=query_responses("/groups/scores/keys"),
        openapi_extra=QUERY_PARAMETERS,
    )
    async def get_key_by_query(
        request: Request,
        group: GroupPath,
        timeout: Timeout,
        alt: AltQuery = None,
        encoding: EncodingQuery = None,
    ) -> Response:
        """Return what the path form returns; of several keys, what `batch_get` returns.

        Clients collapse `.` and `..` in a path; here every key can be asked for.
        """
        query = request.scope["query_string"]
        keys = keys_of(query)
        if len(keys) > 1:
            wish = Wish(joined(request.headers.raw).get("accept", ""), alt, encoding)
            return await many.answer(request, group, keys, wish, timeout)
        target = from_query(group, query, limits)
        return await answer(request, target, timeout, alt, encoding)

    return routes

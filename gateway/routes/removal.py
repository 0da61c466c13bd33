"""`DELETE` of a key or of a group's keys: values that were loaded before are never read again."""

import time
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import JSONResponse, Response

from cache_core.client.client import Client
from cache_core.errors import NotFound
from gateway.http.addressing import Target, from_path, from_query, group_of, keys_of
from gateway.http.fields import joined
from gateway.http.form.decision import Get, decide, precondition_failed
from gateway.http.form.representation import Wish
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.openapi.resources import FLUSH_RESPONSES, REMOVAL_RESPONSES, Responses
from gateway.routes.dependencies import GroupPath, KeyPath, Timeout
from gateway.routes.off_loop import worked

CONDITIONS: Final = frozenset({"if-match", "accept-encoding"})
"""What decides whether a key is removed, of all that decides the answer of a GET."""

_LEAST_SECONDS: Final = 0.001
"""What a removal has at the least: one that has no time left ends at once, with 504."""


class Unreached(BaseModel):
    """Who was not reached: told as soon as it answers.

    A node's copies end within `hot_ttl`, a watcher's within three seconds.
    """

    unreached: list[str] = Field(
        description="Nodes by their addresses, and clients with copies as `watcher ADDRESS`.",
        examples=[["127.0.0.1:8082"]],
    )


def router(client: Client, limits: Limits) -> APIRouter:
    """Return the routes that remove through `client`, within `limits`."""
    routes = APIRouter(tags=["keys"])

    async def remove(group: str, key: str | None, timeout: float) -> Response:
        if key is None:
            unreached = await client.flush(group, timeout=timeout)
        else:
            unreached = await client.remove(group, key, timeout=timeout)
        headers = {"Cache-Control": "no-store"}
        if not unreached:
            return Response(status_code=204, headers=headers)
        body = Unreached(unreached=list(unreached)).model_dump()
        return JSONResponse(body, status_code=202, headers=headers)

    @routes.delete(
        "/groups/{group:segment}/keys/{key:path}",
        operation_id="remove_key",
        summary="Remove a key",
        status_code=204,
        response_class=Response,
        responses=_with_model(REMOVAL_RESPONSES),
    )
    async def remove_key(
        request: Request, group: GroupPath, key: KeyPath, timeout: Timeout
    ) -> Response:
        """Remove the key at its owner and every copy of it, whether or not there is one.

        The source is not touched: the next get asks it. With `If-Match` only a value is removed
        that has one of these ETags, in the form that a `GET` with the same `Accept` and
        `Accept-Encoding` would be answered in.
        """
        target = from_path(group, key, limits)
        left = await _check_match(client, request, target, timeout)
        return await remove(*target, left)

    @routes.delete(
        "/groups/{group:segment}/keys",
        operation_id="flush_group",
        summary="Remove all keys of a group, or one",
        status_code=204,
        response_class=Response,
        responses=_with_model(FLUSH_RESPONSES),
    )
    async def flush_group(
        request: Request,
        group: GroupPath,
        timeout: Timeout,
        key: Annotated[  # noqa: ARG001 - documented here, read from the raw query
            str | SkipJsonSchema[None],
            Query(
                description="Remove this key alone, as the path form does.",
                json_schema_extra={"minLength": 1, "maxLength": limits.key_bytes},
            ),
        ] = None,
    ) -> Response:
        """Remove every key of the group, from every node.

        The source has to be asked for all of them again. With any other query than one `key`
        nothing is removed.
        """
        query = request.scope["query_string"]
        if keys_of(query):
            target = from_query(group, query, limits)
            left = await _check_match(client, request, target, timeout)
            return await remove(*target, left)
        if query:
            # A query that was meant to name a key should not remove all keys.
            words = "a group is flushed without a query, a key is removed with `key`"
            raise Refused(400, "invalid-parameter", words)
        if "if-match" in request.headers:
            raise precondition_failed()  # a group has no ETag that it could be
        return await remove(group_of(group, limits), None, timeout)

    return routes


async def _check_match(client: Client, request: Request, target: Target, timeout: float) -> float:
    """Return what is left of `timeout` once If-Match, if it is there, names the value's ETag.

    Raises Refused (412) where it names no form that the key's value has.
    """
    fields = joined(request.headers.raw)
    if "if-match" not in fields:
        return timeout
    until = time.monotonic() + timeout
    try:
        value = await client.get(target.group, target.key, timeout=timeout)
    except NotFound:
        raise precondition_failed() from None
    conditions = {name: field for name, field in fields.items() if name in CONDITIONS}
    get = Get(target, Wish(fields.get("accept", "")), conditions)
    await worked(len(value.data), decide, get, value)
    return max(until - time.monotonic(), _LEAST_SECONDS)


def _with_model(responses: Responses) -> Responses:
    return {**responses, 202: {**responses[202], "model": Unreached}}

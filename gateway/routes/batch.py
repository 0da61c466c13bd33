"""`/groups/{group}/keys:batchGet`: the values of many keys; `/keys?key=a&key=b` is the same."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from cache_core.client.client import Client
from gateway.http import caching
from gateway.http.addressing import group_of
from gateway.http.batch import (
    Batch,
)
from gateway.http.batch_body import keys_in
from gateway.http.fields import joined
from gateway.http.form.representation import JSON, Wish
from gateway.http.limits import Limits
from gateway.middleware.shares import share_of
from gateway.openapi.resources import BATCH_EXAMPLE, BATCH_RESPONSES
from gateway.routes.batch_reader import BatchRead, BatchReader, batch_answer, check_json
from gateway.routes.body import read_json
from gateway.routes.dependencies import EncodingQuery, GroupPath, Timeout


def router(client: Client, limits: Limits) -> APIRouter:
    """Return the route that gets many keys through `client`, within `limits`."""
    routes = APIRouter(tags=["keys"])
    reader = BatchReader(client, limits)

    @routes.post(
        "/groups/{group:segment}/keys:batchGet",
        operation_id="batch_get",
        summary="Get many keys' values",
        response_model=Batch,
        responses=BATCH_RESPONSES,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    JSON: {
                        "schema": {"$ref": "#/components/schemas/BatchKeys"},
                        "example": BATCH_EXAMPLE,
                    }
                },
            }
        },
    )
    async def batch_get(
        request: Request, group: GroupPath, timeout: Timeout, encoding: EncodingQuery = None
    ) -> Response:
        """Return an item for each key, in the order asked: its value, or its problem.

        The status is 200 even where no key has a value. Each owner is asked once for all of its
        keys. What does not fit into an answer of 64 MiB is a problem as well, and can be got by
        itself.
        """
        fields = joined(request.headers.raw)
        wish = Wish(fields.get("accept", ""), encoding=encoding)
        check_json(wish)
        name = group_of(group, limits)
        keys = keys_in(await read_json(request, limits), limits)
        ask = BatchRead(name, group, keys, encoding, caching.demand(fields))
        body = await reader.read(ask, timeout, share_of(request))
        # A POST has no conditions and no ETag: its URL names no such document.
        accepted = {name: fields[name] for name in ("accept-encoding",) if name in fields}
        response = await batch_answer(body, accepted, is_head=False)
        del response.headers["ETag"]
        return response

    return routes

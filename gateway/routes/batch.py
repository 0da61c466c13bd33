"""`/groups/{group}/keys:batchGet`: the values of many keys; `/keys?key=a&key=b` is the same."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from cache_core.client.client import Client
from cache_core.errors import CacheError
from cache_core.value import Demand
from gateway.http import caching
from gateway.http.addressing import MalformedTarget, check_key, group_of
from gateway.http.batch import (
    Batch,
    Room,
    check_count,
    problem_item,
    too_large,
    value_item,
)
from gateway.http.batch_body import keys_in
from gateway.http.budget import Share
from gateway.http.fields import joined
from gateway.http.form.decision import decide_form
from gateway.http.form.representation import JSON, Encoding, Representation, Wish, choose
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.middleware.shares import share_of
from gateway.openapi.resources import BATCH_EXAMPLE, BATCH_RESPONSES
from gateway.routes.body import read_json
from gateway.routes.dependencies import EncodingQuery, GroupPath, Timeout
from gateway.routes.off_loop import worked

UNCACHED: Final = {"Cache-Control": "no-store"}
"""A batch is not kept, because each of its values has a freshness of its own."""


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
        response = await _answer(body, accepted, is_head=False)
        del response.headers["ETag"]
        return response

    return routes


class BatchRead(NamedTuple):
    """A read of `keys` of `group`, whose name in the path is `encoded_group`.

    `encoding` and `demand` hold for every key.
    """

    group: str
    encoded_group: str
    keys: Sequence[str]
    encoding: Encoding | None
    demand: Demand


class BatchReader:
    """Reads keys through `client`, within `limits`: one call to each owner."""

    def __init__(self, client: Client, limits: Limits) -> None:
        self._client = client
        self._limits = limits

    async def answer(
        self, request: Request, group: str, keys: Sequence[str], wish: Wish, timeout: float
    ) -> Response:
        """Answer a GET, or a HEAD, of several keys of a still encoded group. Raises Refused."""
        check_json(wish)
        fields = joined(request.headers.raw)
        name = group_of(group, self._limits)
        ask = BatchRead(name, group, keys, wish.encoding, caching.demand(fields))
        body = await self.read(ask, timeout, share_of(request))
        return await _answer(body, fields, is_head=request.method == "HEAD")

    async def read(self, ask: BatchRead, timeout: float, share: Share) -> bytes:
        """Return the document with an item for each key, as part of `share`. Raises Refused."""
        check_count(ask.keys, self._limits)
        path = f"/groups/{ask.encoded_group}/keys"
        room = Room(self._limits.batch_bytes, share)
        counts = Counter(ask.keys)

        async def item(key: str) -> bytes:
            try:
                check_key(key, self._limits)
                value = await self._client.get(ask.group, key, demand=ask.demand, timeout=timeout)
            except (MalformedTarget, CacheError) as error:
                return problem_item(path, key, error)
            size = len(value.data)
            # Room is taken before it is encoded: a value that waits for that is held as well.
            if not room.take(counts[key] * size):
                return problem_item(path, key, too_large(self._limits))
            found = await worked(size, value_item, path, key, value, ask.encoding)
            if not room.take(counts[key] * (len(found) - size)):
                return problem_item(path, key, too_large(self._limits))
            return found

        try:
            async with asyncio.TaskGroup() as group:
                tasks = {key: group.create_task(item(key)) for key in counts}
        except* Refused as refusals:
            raise refusals.exceptions[0] from None
        return _document(ask.keys, {key: task.result() for key, task in tasks.items()})


def check_json(wish: Wish) -> None:
    """Raise Refused (406) where `wish` does not accept JSON, which a batch always is."""
    is_json = wish.encoding or wish.alt == "json"
    if wish.alt == "media" or not (is_json or choose(wish.accept, [JSON])):
        raise Refused(406, "not-acceptable", f"there is {JSON}")


def _document(keys: Sequence[str], items: dict[str, bytes]) -> bytes:
    """Return the document of the `items` of `keys`; an item goes as soon as it is there."""
    left = Counter(keys)
    document = bytearray(b'{"items":[')
    for number, key in enumerate(keys):
        left[key] -= 1
        item = items[key] if left[key] else items.pop(key)
        document += b"," + item if number else item
    document += b"]}"
    return cast("bytes", document)  # it is read as bytes are, and a copy would be as large again


async def _answer(body: bytes, fields: Mapping[str, str], *, is_head: bool) -> Response:
    form = Representation(JSON, body)
    decision = await worked(len(body), decide_form, form, UNCACHED, fields, is_head=is_head)
    return Response(memoryview(decision.body), decision.status, decision.headers)

"""Reads of many keys in one request: each owner is asked once, and the answer is one document."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final, NamedTuple, TypeAlias, cast

from fastapi import Request
from starlette.responses import Response

from cache_core.client.client import Client
from cache_core.errors import CacheError, InvalidKey
from cache_core.value import Demand, Value
from gateway.http import caching
from gateway.http.addressing import MalformedTarget, check_key, group_of
from gateway.http.batch import (
    Room,
    check_count,
    problem_item,
    too_large,
    value_item,
)
from gateway.http.budget import Share
from gateway.http.fields import joined
from gateway.http.form.decision import decide_form
from gateway.http.form.representation import JSON, Encoding, Representation, Wish, choose
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.middleware.shares import share_of
from gateway.routes.off_loop import worked

ITEMS_A_TURN: Final = 64
"""Others are served after so many items: a thousand at once took 30 ms."""

UNCACHED: Final = {"Cache-Control": "no-store"}
"""A batch is not kept, because each of its values has a freshness of its own."""


class BatchRead(NamedTuple):
    """A read of `keys` of `group`, whose name in the path is `encoded_group`.

    `encoding` and `demand` hold for every key.
    """

    group: str
    encoded_group: str
    keys: Sequence[str]
    encoding: Encoding | None
    demand: Demand


Found: TypeAlias = Value | CacheError | MalformedTarget | Refused
"""A key's value, or why it has none in this answer."""


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
        return await batch_answer(body, fields, is_head=request.method == "HEAD")

    async def read(self, ask: BatchRead, timeout: float, share: Share) -> bytes:
        """Return the document with an item for each key, as part of `share`. Raises Refused."""
        check_count(ask.keys, self._limits)
        path = f"/groups/{ask.encoded_group}/keys"
        room = Room(self._limits.batch_bytes, share)
        counts = Counter(ask.keys)
        outcomes = await self._outcomes(ask, counts, timeout, room)
        items: dict[str, bytes] = {}
        while outcomes:
            key, outcome = outcomes.popitem()
            items[key] = await self._item(path, key, counts[key], outcome, room, ask.encoding)
            if len(items) % ITEMS_A_TURN == 0:
                await asyncio.sleep(0)
        return _document(ask.keys, items)

    async def _outcomes(
        self, ask: BatchRead, counts: Mapping[str, int], timeout: float, room: Room
    ) -> dict[str, Found]:
        """Return what becomes of each key. Raises Refused (503).

        All are asked for in one turn, so that each owner is asked once. Room is taken for a value
        as soon as it comes, before it is encoded: one that waits for that is held as well.
        """
        outcomes: dict[str, Found] = {}
        loop = asyncio.get_running_loop()
        whole: asyncio.Future[None] = loop.create_future()
        deadline = loop.time() + timeout

        def then(key: str, found: Found) -> None:
            try:
                if isinstance(found, Value) and not room.take(counts[key] * len(found.data)):
                    found = too_large(self._limits)
            except Refused as refused:
                if not whole.done():
                    whole.set_exception(refused)
                return
            outcomes[key] = found
            if len(outcomes) == len(counts) and not whole.done():
                whole.set_result(None)

        with ExitStack() as gets:
            for key in counts:
                try:
                    check_key(key, self._limits)
                    InvalidKey.check(ask.group, key)
                except (MalformedTarget, CacheError) as error:
                    then(key, error)
                    continue
                pending = self._client.ask(
                    ask.group, key, demand=ask.demand, deadline=deadline, then=partial(then, key)
                )
                gets.callback(pending.give_up)
            if counts:
                await whole
        return outcomes

    async def _item(
        self, path: str, key: str, count: int, found: Found, room: Room, encoding: Encoding | None
    ) -> bytes:
        """Return the item of a key that is asked for `count` times. Raises Refused (503)."""
        if not isinstance(found, Value):
            return await worked(len(key), problem_item, path, key, found)
        size = len(found.data)
        item = await worked(size, value_item, path, key, found, encoding)
        if not room.take(count * (len(item) - size)):
            return problem_item(path, key, too_large(self._limits))
        return item


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


async def batch_answer(body: bytes, fields: Mapping[str, str], *, is_head: bool) -> Response:
    """Return the answer with the document `body` to a request with `fields`. Raises Refused."""
    form = Representation(JSON, body)
    decision = await worked(len(body), decide_form, form, UNCACHED, fields, is_head=is_head)
    return Response(memoryview(decision.body), decision.status, decision.headers)

"""Batch reads over real sockets, real nodes behind them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from clusters import peers_of
from fakes import FakeSource
from task_peer import TaskPeer, got

from cache_core import Client, Node
from cache_core.address import Address
from cache_core.cluster.peer import Ask
from cache_core.rpc.channel import Channel
from gateway.app import create_app
from gateway.http.limits import Limits

KEYS = "/groups/scores/keys"
BATCH = f"{KEYS}:batchGet"


async def post(http: httpx.AsyncClient, *keys: str, **params: str) -> list[Any]:
    """Return the items for `keys`."""
    response = await http.post(BATCH, content=json.dumps({"keys": keys}), params=params, **AS_JSON)
    assert response.status_code == 200, response.text
    items = response.json()["items"]
    assert isinstance(items, list)
    return items


AS_JSON: dict[str, Any] = {"headers": {"Content-Type": "application/json"}}


async def test_an_item_a_key_comes_in_the_order_asked_for_duplicates_included(
    http: httpx.AsyncClient, source: FakeSource
) -> None:
    items = await post(http, "Tom", "NotExist", "Jack", "Tom", "empty")
    assert [item["key"] for item in items] == ["Tom", "NotExist", "Jack", "Tom", "empty"]
    assert [item.get("value") for item in items] == ["630", None, "589", "630", ""]
    assert items[0] == {"key": "Tom", "value": "630", "encoding": "utf-8"}
    assert sorted(source.lookups) == ["Jack", "NotExist", "Tom", "empty"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_problem_is_the_one_that_a_get_of_the_key_alone_has(
    shared_http: httpx.AsyncClient,
) -> None:
    missing, empty, long, group = (
        *(await post(shared_http, "NotExist", "", "k" * 1025)),
        (await shared_http.get("/groups/none/keys?key=a&key=b")).json()["items"][0],
    )
    assert missing["problem"] == (await shared_http.get(f"{KEYS}/NotExist")).json()
    assert empty["problem"] == (await shared_http.get(f"{KEYS}/")).json()
    alone = (await shared_http.get(f"{KEYS}/{'k' * 1025}")).json()
    assert {**alone, "instance": long["problem"]["instance"]} == long["problem"]
    assert group["problem"] == (await shared_http.get("/groups/none/keys/a")).json()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_lone_surrogate_is_its_items_problem(shared_http: httpx.AsyncClient) -> None:
    odd, good = await post(shared_http, "\ud800", "Tom")
    assert (odd["key"], odd["problem"]["reason"]) == ("\ud800", "invalid-key")
    assert good["value"] == "630"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_query_answers_what_the_post_does(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.get(KEYS, params={"key": ["Tom", "..", "a+b", "NotExist"]})
    assert response.json()["items"] == await post(shared_http, "Tom", "..", "a+b", "NotExist")


@pytest.mark.asyncio(loop_scope="module")
async def test_one_key_in_the_query_is_the_single_read(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.get(KEYS, params={"key": "Tom"})
    assert response.json() == {
        "group": "scores",
        "key": "Tom",
        "value": "630",
        "encoding": "utf-8",
    }


@pytest.mark.asyncio(loop_scope="module")
async def test_an_accept_of_several_lines_is_read_as_one(shared_http: httpx.AsyncClient) -> None:
    lines = [("Accept", "text/plain"), ("Accept", "application/json")]
    response = await shared_http.get(KEYS, params={"key": ["Tom", "Jack"]}, headers=lines)
    assert response.status_code == 200


async def test_only_if_cached_is_each_items(http: httpx.AsyncClient, source: FakeSource) -> None:
    await http.get(f"{KEYS}/Tom")
    cached = {"Cache-Control": "only-if-cached"}
    got = await http.get(KEYS, params={"key": ["Tom", "Jack"]}, headers=cached)
    posted = await http.post(BATCH, json={"keys": ["Tom", "Jack"]}, headers=cached)
    for response in (got, posted):
        tom, jack = response.json()["items"]
        assert tom["value"] == "630"
        assert jack["problem"] == (await http.get(f"{KEYS}/Jack", headers=cached)).json()
        assert jack["problem"]["reason"] == "not-cached"
    assert source.lookups == ["Tom"]


@pytest.mark.asyncio(loop_scope="module")
async def test_no_keys_have_no_items(shared_http: httpx.AsyncClient) -> None:
    assert await post(shared_http) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_the_encoding_asked_for_is_each_items(shared_http: httpx.AsyncClient) -> None:
    tom, binary = await post(shared_http, "Tom", "binary", encoding="base64")
    assert (tom["value"], tom["encoding"], binary["encoding"]) == ("NjMw", "base64", "base64")
    tom, binary = await post(shared_http, "Tom", "binary", encoding="utf-8")
    assert (tom["value"], binary["problem"]["reason"]) == ("630", "not-acceptable")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_batch_is_not_stored_and_has_an_etag_where_it_is_a_get(
    shared_http: httpx.AsyncClient,
) -> None:
    query = {"params": {"key": ["Tom", "Jack"]}}
    got = await shared_http.get(KEYS, **query)  # type: ignore[arg-type] # params, not headers
    assert got.headers["cache-control"] == "no-store"
    again = await shared_http.get(KEYS, headers={"If-None-Match": got.headers["etag"]}, **query)  # type: ignore[arg-type] # as above
    assert (again.status_code, again.content) == (304, b"")
    posted = await shared_http.post(BATCH, json={"keys": ["Tom"]}, headers={"If-None-Match": "*"})
    assert (posted.status_code, posted.headers["cache-control"]) == (200, "no-store")
    assert "etag" not in posted.headers


async def test_a_large_batch_is_compressed_for_who_accepts_it(
    http: httpx.AsyncClient, source: FakeSource
) -> None:
    source.values.update({str(n): b"x" * 4000 for n in range(100)})
    headers = {"Accept-Encoding": "gzip", **AS_JSON["headers"]}
    body = json.dumps({"keys": [str(n) for n in range(100)]})
    response = await http.post(BATCH, content=body, headers=headers)
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) < 10_000
    assert len(response.json()["items"]) == 100


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b'{"keys":["Tom"', {}, 400, "malformed-body"),
        (b"", {}, 400, "malformed-body"),
        (b"[" * 100_000, {}, 400, "malformed-body"),
        (b'{"keys":[' + b"1" * 5000 + b"]}", {}, 400, "malformed-body"),
        (b'{"keys":["\xff"]}', {}, 400, "invalid-encoding"),
        (b'{"keys":["\xed\xa0\x80"]}', {}, 400, "invalid-encoding"),
        (b'{"keys":[1]}', {}, 400, "malformed-body"),
        (b'{"keys":[' + b'"a",' * 1000 + b'"a"]}', {}, 400, "too-many-keys"),
        (b'{"keys":[]}', {"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
        (b'{"keys":[]}', {"Content-Type": ""}, 415, "unsupported-media-type"),
        (b'{"keys":[]}', {"Content-Encoding": "gzip"}, 415, "unsupported-media-type"),
        (b'{"keys":[]}', {"Accept": "image/webp"}, 406, "not-acceptable"),
        (b" " * (4 * 1024 * 1024 + 1), {}, 413, "body-too-large"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)
async def test_a_body_that_asks_for_no_keys_is_a_problem(
    shared_http: httpx.AsyncClient, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    response = await shared_http.post(
        BATCH, content=body, headers={**AS_JSON["headers"], **headers}
    )
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["reason"]) == (status, reason)


@pytest.mark.asyncio(loop_scope="module")
async def test_malformed_json_is_told_with_where(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.post(BATCH, content=b'{"keys":\n["Tom",]}', **AS_JSON)
    assert response.json()["detail"].startswith("line 2, column 8 of the body: ")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_body_whose_length_is_not_told_is_limited_as_well(
    shared_http: httpx.AsyncClient,
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 1024 * 1024

    response = await shared_http.post(BATCH, content=parts(), **AS_JSON)
    assert (response.status_code, response.json()["reason"]) == (413, "body-too-large")


async def test_a_client_that_hangs_up_within_its_body_is_no_failure_of_the_gateway(
    client: Client,
) -> None:
    received: list[dict[str, Any]] = [
        {"type": "http.request", "body": b'{"keys":', "more_body": True},
        {"type": "http.disconnect"},
    ]
    messages = iter(received)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's messages are of any shape
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": BATCH,
        "raw_path": BATCH.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"20")],
    }
    await create_app(client)(scope, receive, send)
    assert sent[0]["status"] == 499


class Counted(TaskPeer):
    """A Peer that counts the calls through it."""

    def __init__(self, name: str, calls: list[tuple[str, list[str]]]) -> None:
        self._name = name
        self._calls = calls
        channel = Channel(Address.parse(name))
        self._channel = channel
        self.send = channel.send
        self.aclose = channel.aclose

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:
        self._calls.append((self._name, [ask.key for ask in asks]))
        await got(self._channel, asks, ring=ring, timeout=timeout)


async def test_each_owner_is_asked_once_for_all_of_its_keys(
    trio: list[Node], source: FakeSource
) -> None:
    keys = [str(n) for n in range(300)]
    source.values.update({key: key.encode() for key in keys})
    calls: list[tuple[str, list[str]]] = []
    peers = peers_of([node.address for node in trio])
    async with Client(peers, connect=lambda name: Counted(name, calls)) as client:
        transport = httpx.ASGITransport(create_app(client, limits=Limits(timeout=20)))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
            items = await post(http, *keys)
    assert [item["value"] for item in items] == keys
    assert sorted(name for name, _ in calls) == sorted(node.address for node in trio)
    assert sorted(key for _, asked in calls for key in asked) == sorted(keys)
    assert sorted(source.lookups) == sorted(keys)  # whoever was asked owned them


async def within(client: Client, batch_bytes: int, *keys: str) -> list[Any]:
    limits = Limits(timeout=20, batch_bytes=batch_bytes)
    transport = httpx.ASGITransport(create_app(client, limits=limits))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        return await post(http, *keys)


async def test_what_an_answer_has_no_room_for_is_its_items_problem(
    client: Client, source: FakeSource
) -> None:
    source.values.update({"large": b"x" * 90_000, "controls": b"\1" * 40_000})
    small, large, controls = await within(client, 100_000, "Tom", "large", "controls")
    assert (small["value"], len(large["value"])) == ("630", 90_000)
    assert (controls["problem"]["status"], controls["problem"]["reason"]) == (
        413,
        "batch-too-large",
    )
    # Six times as large as JSON.
    assert "problem" in (await within(client, 100_000, "controls"))[0]
    # A key that is asked for twice is answered twice.
    twice = await within(client, 100_000, "large", "large")
    assert [item["problem"]["reason"] for item in twice] == ["batch-too-large"] * 2


async def test_keys_whose_node_is_slow_have_the_problem_and_the_others_their_values(
    client: Client, source: FakeSource
) -> None:
    assert (await within(client, 1000, "Tom"))[0]["value"] == "630"
    source.gate.clear()
    transport = httpx.ASGITransport(create_app(client, limits=Limits(timeout=0.2)))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        async with asyncio.timeout(10):
            held, slow = await post(http, "Tom", "Jack")
    source.gate.set()
    assert held["value"] == "630"
    assert (slow["problem"]["status"], slow["problem"]["reason"]) == (504, "deadline-exceeded")


@pytest.mark.asyncio(loop_scope="module")
async def test_binary_survives_a_batch(shared_http: httpx.AsyncClient) -> None:
    (item,) = await post(shared_http, "binary")
    assert item["encoding"] == "base64"
    alone = (await shared_http.get(f"{KEYS}/binary")).json()
    assert item["value"] == alone["value"]

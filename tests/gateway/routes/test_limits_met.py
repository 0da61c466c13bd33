"""What is exactly at a limit, or just above it, and names that are empty."""

import threading

import httpx
import pytest
from fakes import FakeSource
from processes import GatewayAt

from cache_core import Group, Node
from gateway.http.limits import Limits
from gateway.routes.off_loop import OFF_LOOP_BYTES, worked

KEYS = "/groups/scores/keys"
JSON = {"Content-Type": "application/json"}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_body_at_the_limit_is_taken(shared_http: httpx.AsyncClient) -> None:
    body = b'{"keys":["Tom"]}'.ljust(Limits().body_bytes)
    response = await shared_http.post(f"{KEYS}:batchGet", content=body, headers=JSON)
    assert response.status_code == 200
    over = await shared_http.post(f"{KEYS}:batchGet", content=body + b" ", headers=JSON)
    assert over.status_code == 413


@pytest.mark.asyncio(loop_scope="module")
async def test_a_coding_of_the_body_is_refused_whichever_it_is(
    shared_http: httpx.AsyncClient,
) -> None:
    for coding, status in (("br", 415), ("gzip", 415), ("identity", 200)):
        response = await shared_http.post(
            f"{KEYS}:batchGet",
            content=b'{"keys":[]}',
            headers={**JSON, "Content-Encoding": coding},
        )
        assert response.status_code == status


@pytest.mark.asyncio(loop_scope="module")
async def test_a_query_may_name_as_many_keys_as_a_batch(shared_http: httpx.AsyncClient) -> None:
    most = Limits().batch_keys
    response = await shared_http.get(f"{KEYS}?{'&'.join(['key=a'] * most)}")
    assert (response.status_code, len(response.json()["items"])) == (200, most)
    over = await shared_http.get(f"{KEYS}?{'&'.join(['key=a'] * (most + 1))}")
    assert (over.status_code, over.json()["reason"]) == (400, "too-many-keys")


async def test_a_group_without_a_name_is_asked_for_as_any_other(
    source: FakeSource, gateway_at: GatewayAt
) -> None:
    async with Node("127.0.0.1:0", [Group("", source)], grace=5) as node:
        url = await gateway_at(node.address)
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
            assert (await http.get("/groups//keys/Tom")).json()["value"] == "630"
            assert (await http.get("/groups/")).json()["group"] == ""


@pytest.mark.parametrize(
    ("size", "is_apart"), [(OFF_LOOP_BYTES, False), (OFF_LOOP_BYTES + 1, True)]
)
async def test_a_large_value_is_worked_on_beside_the_loop(size: int, *, is_apart: bool) -> None:
    thread = await worked(size, threading.current_thread)
    assert (thread is not threading.main_thread()) == is_apart

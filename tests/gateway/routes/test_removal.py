"""Removal over real sockets, real nodes behind them."""

import httpx
import pytest
from fakes import FakeSource

from cache_core import Client, Node

KEYS = "/groups/scores/keys"
TOM = f"{KEYS}/Tom"


async def value(http: httpx.AsyncClient, key: str = "Tom") -> str:
    read = (await http.get(KEYS, params={"key": key})).json()["value"]
    assert isinstance(read, str)
    return read


@pytest.mark.parametrize("target", [TOM, f"{KEYS}?key=Tom"])
async def test_a_removed_key_is_loaded_anew_and_others_are_not(
    http: httpx.AsyncClient, source: FakeSource, target: str
) -> None:
    assert (await value(http), await value(http, "Jack")) == ("630", "589")
    source.values.update({"Tom": b"631", "Jack": b"590"})
    response = await http.delete(target)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["cache-control"] == "no-store"
    assert (await value(http), await value(http, "Jack")) == ("631", "589")


@pytest.mark.asyncio(loop_scope="module")
async def test_removal_is_idempotent_whether_or_not_there_is_such_a_key(
    shared_http: httpx.AsyncClient,
) -> None:
    for _ in range(2):
        assert (await shared_http.delete(f"{KEYS}/NotExist")).status_code == 204


async def test_a_flush_removes_every_key_of_the_group(
    http: httpx.AsyncClient, source: FakeSource
) -> None:
    assert (await value(http), await value(http, "Jack")) == ("630", "589")
    source.values.update({"Tom": b"631", "Jack": b"590"})
    assert (await http.delete(KEYS)).status_code == 204
    assert (await value(http), await value(http, "Jack")) == ("631", "590")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("target", "status", "reason"),
    [
        (f"{KEYS}?key=", 400, "key-required"),
        (f"{KEYS}?key", 400, "key-required"),
        (f"{KEYS}/", 400, "key-required"),
        (f"{KEYS}?key=Tom&key=Jack", 400, "one-key-only"),
        (f"{KEYS}?key=&key=", 400, "one-key-only"),
        (f"{KEYS}?keys=Tom", 400, "invalid-parameter"),
        (f"{KEYS}?Key=Tom", 400, "invalid-parameter"),
        (f"{KEYS}?key=%FF", 400, "invalid-encoding"),
        (f"{KEYS}/{'k' * 1025}", 400, "key-too-long"),
    ],
)
async def test_what_names_no_one_key_removes_nothing(
    shared_http: httpx.AsyncClient, target: str, status: int, reason: str
) -> None:
    assert await value(shared_http) == "630"
    response = await shared_http.delete(target)
    assert (response.status_code, response.json()["reason"]) == (status, reason)
    assert "; hit" in (await shared_http.get(TOM)).headers["cache-status"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("target", ["/groups/none/keys/k", "/groups/none/keys"])
async def test_an_unknown_group_is_404(shared_http: httpx.AsyncClient, target: str) -> None:
    response = await shared_http.delete(target)
    assert (response.status_code, response.json()["reason"]) == (404, "unknown-group")


@pytest.mark.parametrize("target", [TOM, KEYS])
async def test_with_no_node_nothing_is_removed(
    http: httpx.AsyncClient, node: Node, target: str
) -> None:
    await node.stop(drain=False)
    assert (await http.delete(target)).status_code == 503


@pytest.mark.parametrize("target", [TOM, KEYS])
async def test_copies_at_every_node_are_removed(
    trio_http: httpx.AsyncClient, trio: list[Node], source: FakeSource, target: str
) -> None:
    async def seen() -> set[bytes]:
        found = set()
        for node in trio:
            async with Client(node.address, timeout=20) as client:
                found.add((await client.get("scores", "Tom")).data)
        return found

    assert await seen() == {b"630"}
    source.values["Tom"] = b"631"
    assert (await trio_http.delete(target)).status_code == 204
    assert await seen() == {b"631"}


@pytest.mark.parametrize("target", [TOM, KEYS])
async def test_a_node_that_was_not_reached_is_named(
    trio_http: httpx.AsyncClient, trio: list[Node], source: FakeSource, target: str
) -> None:
    assert await value(trio_http) == "630"
    source.values["Tom"] = b"631"
    gone = trio[2]
    await gone.stop(drain=False)
    response = await trio_http.delete(target)
    assert response.status_code == 202
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {"unreached": [gone.address]}
    assert await value(trio_http) == "631"

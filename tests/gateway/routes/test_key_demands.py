"""Requests that say what may answer them, over real sockets, a real node behind."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fakes import FakeSource
from processes import GatewayAt

from cache_core import Group, GroupSettings, Node

TOM = "/groups/scores/keys/Tom"


async def gateway(
    source: FakeSource, gateway_at: GatewayAt, **settings: object
) -> AsyncIterator[httpx.AsyncClient]:
    given = GroupSettings.model_validate({"ttl": 60, "jitter": 0, **settings})
    async with Node("127.0.0.1:0", [Group("scores", source, given)], grace=5) as node:
        url = await gateway_at(node.address)
        async with httpx.AsyncClient(
            base_url=url, trust_env=False, verify=False, timeout=10
        ) as client:
            yield client


@pytest.fixture
async def http(source: FakeSource, gateway_at: GatewayAt) -> AsyncIterator[httpx.AsyncClient]:
    async for client in gateway(source, gateway_at):
        yield client


@pytest.fixture
async def reloading(source: FakeSource, gateway_at: GatewayAt) -> AsyncIterator[httpx.AsyncClient]:
    """In front of a node whose group may be reloaded and declares a type."""
    settings = {"client_reload": True, "content_type": "image/png", "negative_ttl": 30}
    async for client in gateway(source, gateway_at, max_value=100, **settings):
        yield client


async def test_only_if_cached_is_504_for_what_is_not_held(
    http: httpx.AsyncClient, source: FakeSource
) -> None:
    response = await http.get(TOM, headers={"Cache-Control": "only-if-cached"})
    assert response.status_code == 504
    assert response.json()["reason"] == "not-cached"
    assert response.json()["grpc_status"] == "FAILED_PRECONDITION"
    assert response.headers["cache-control"] == "no-store"
    assert "cache-status" not in response.headers
    assert source.lookups == []


async def test_only_if_cached_is_answered_with_what_is_held(http: httpx.AsyncClient) -> None:
    await http.get(TOM)
    response = await http.get(TOM, headers={"Cache-Control": "only-if-cached"})
    assert response.status_code == 200
    assert "; hit; " in response.headers["cache-status"]


@pytest.mark.parametrize("field", ["Cache-Control", "Pragma"])
async def test_no_cache_is_passed_over_unless_the_group_allows_it(
    http: httpx.AsyncClient, source: FakeSource, field: str
) -> None:
    await http.get(TOM)
    source.values["Tom"] = b"new"
    response = await http.get(TOM, headers={field: "no-cache"})
    assert response.json()["value"] == "630"
    assert "; hit; " in response.headers["cache-status"]


@pytest.mark.parametrize("field", ["Cache-Control", "Pragma"])
async def test_no_cache_has_the_value_loaded_anew_where_the_group_allows_it(
    reloading: httpx.AsyncClient, source: FakeSource, field: str
) -> None:
    await reloading.get(TOM)
    source.values["Tom"] = b"new"
    response = await reloading.get(TOM, headers={field: "no-cache"})
    assert response.json()["value"] == "new"
    assert response.headers["cache-status"].endswith('"; fwd=request; stored')
    assert (await reloading.get(TOM)).json()["value"] == "new"


async def test_a_value_that_is_not_kept_is_not_said_to_be(
    reloading: httpx.AsyncClient, source: FakeSource
) -> None:
    source.values["Tom"] = bytes(101)
    response = await reloading.get(TOM)
    assert response.headers["cache-status"].endswith('"; fwd=miss')


async def test_the_groups_content_type_is_the_raw_forms(reloading: httpx.AsyncClient) -> None:
    response = await reloading.get(TOM, headers={"Accept": "image/png"})
    assert (response.headers["content-type"], response.content) == ("image/png", b"630")


async def test_a_missing_key_may_be_kept_for_as_long_as_it_is_remembered(
    reloading: httpx.AsyncClient,
) -> None:
    response = await reloading.get("/groups/scores/keys/none")
    assert response.status_code == 404
    assert response.headers["cache-control"] in {"max-age=29", "max-age=30"}

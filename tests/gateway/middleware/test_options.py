"""`OPTIONS`, and what pages of other origins may."""

from collections.abc import AsyncIterator

import httpx
import pytest
from processes import GatewayAt
from spy_node import SpyNode, spying

TOM = "/groups/scores/keys/Tom"
PAGE = "https://app.example.com"


@pytest.fixture
async def node_address() -> AsyncIterator[str]:
    async with spying(SpyNode()) as node:
        yield node.address


def client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=20)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (TOM, "DELETE, GET, HEAD, OPTIONS"),
        ("/groups/scores/keys", "DELETE, GET, HEAD, OPTIONS"),
        ("/groups/scores/keys:batchGet", "OPTIONS, POST"),
        *(
            (path, "GET, HEAD, OPTIONS")
            for path in (
                *("/", "/groups", "/groups/scores", "/cluster", "/livez", "/readyz"),
                *("/docs", "/redoc", "/openapi.json", "/docs/assets/favicon.png"),
            )
        ),
    ],
)
async def test_options_of_a_resource_is_204_with_allow(
    shared_url: str, path: str, allowed: str
) -> None:
    async with client(shared_url) as http:
        response = await http.options(path)
    assert response.status_code == 204
    assert response.headers["allow"] == allowed
    assert response.content == b""
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.asyncio(loop_scope="module")
async def test_options_of_nothing_is_404(shared_url: str) -> None:
    async with client(shared_url) as http:
        assert (await http.options("/none")).status_code == 404


def preflight(origin: str, *, method: str = "GET") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "x-request-timeout, traceparent",
    }


async def test_without_the_setting_no_other_origin_may(
    gateway_at: GatewayAt, node_address: str
) -> None:
    async with client(await gateway_at(node_address)) as http:
        for response in (
            await http.get(TOM, headers={"Origin": PAGE}),
            await http.options(TOM, headers=preflight(PAGE)),
        ):
            assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_a_named_origin_may_read_values_and_problems(
    gateway_at: GatewayAt, node_address: str
) -> None:
    async with client(await gateway_at(node_address, cors_origins=[PAGE])) as http:
        for path, status in ((TOM, 200), ("/none", 404), ("/groups/g/keys/" + "k" * 9000, 414)):
            response = await http.get(path, headers={"Origin": PAGE})
            assert response.status_code == status
            assert response.headers["access-control-allow-origin"] == PAGE
            exposed = response.headers["access-control-expose-headers"].split(", ")
            assert {"ETag", "Age", "Cache-Status", "Content-Range", "Retry-After"} <= set(exposed)
            assert "Origin" in response.headers["vary"].split(", ")


async def test_no_other_origin_may_and_caches_keep_them_apart(
    gateway_at: GatewayAt, node_address: str
) -> None:
    async with client(await gateway_at(node_address, cors_origins=[PAGE])) as http:
        for headers in ({}, {"Origin": "https://evil.example"}):
            response = await http.get(TOM, headers=headers)
            assert response.status_code == 200
            assert "access-control-allow-origin" not in response.headers
            assert response.headers["vary"] == "Accept, Accept-Encoding, Origin"


async def test_a_preflight_of_a_named_origin_is_granted(
    gateway_at: GatewayAt, node_address: str
) -> None:
    async with client(await gateway_at(node_address, cors_origins=["https://a.b", PAGE])) as http:
        response = await http.options(TOM, headers=preflight(PAGE, method="POST"))
    assert response.status_code == 204
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["access-control-allow-origin"] == PAGE
    assert "POST" in response.headers["access-control-allow-methods"]
    assert response.headers["access-control-allow-headers"] == "x-request-timeout, traceparent"
    assert "Origin" in response.headers["vary"]


@pytest.mark.parametrize(
    "headers", [preflight("https://evil.example"), preflight(PAGE, method="BREW")]
)
async def test_a_preflight_that_is_not_granted_is_an_options_like_any(
    gateway_at: GatewayAt, node_address: str, headers: dict[str, str]
) -> None:
    async with client(await gateway_at(node_address, cors_origins=[PAGE])) as http:
        response = await http.options(TOM, headers=headers)
    assert response.status_code == 204
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert "access-control-allow-origin" not in response.headers


async def test_a_star_is_every_origin(gateway_at: GatewayAt, node_address: str) -> None:
    async with client(await gateway_at(node_address, cors_origins=["*"])) as http:
        for response in (
            await http.get(TOM, headers={"Origin": PAGE}),
            await http.options(TOM, headers=preflight(PAGE)),
        ):
            assert response.is_success
            assert response.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in response.headers

"""Pages that try to reach a gateway through the browser of somebody who can."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fakes import FakeSource
from processes import GatewayAt
from raw_http import Connection, exchange

from cache_core import Node

TOM = "/groups/scores/keys/Tom"
EVIL = "http://evil.example"


@pytest.fixture
async def http(node: Node, gateway_at: GatewayAt) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway as the command starts it on the loopback."""
    url = await gateway_at(node.address, hosts=())
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=10) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "POST"])
async def test_a_rebound_name_is_answered_with_421_whatever_is_asked(
    http: httpx.AsyncClient, source: FakeSource, method: str
) -> None:
    for path in (TOM, "/groups/scores/keys", "/groups", "/livez", "/none"):
        for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example"):
            headers = {"Host": host, "Origin": f"http://{host}"}
            response = await http.request(method, path, headers=headers)
            assert response.status_code == 421, (path, host)
            if method != "HEAD":
                problem = response.json()
                assert problem["reason"] == "host-not-served"
                assert host in problem["detail"]
                assert "hosts" in problem["detail"]
    assert source.lookups == []


async def test_a_plain_get_by_a_rebound_name_is_answered_with_421_each_time(
    node: Node, gateway_at: GatewayAt
) -> None:
    async with Connection(await gateway_at(node.address, hosts=())) as connection:
        for host, status in (("localhost", 200), ("evil.example", 421)) * 3:
            connection.send(f"GET {TOM} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            reply = await connection.reply()
            assert reply is not None
            assert reply.status == status


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:1", "[::1]", "a.localhost"])
async def test_names_and_addresses_of_this_machine_are_served(
    http: httpx.AsyncClient, host: str
) -> None:
    for fields in ({}, {"X-Odd": "1"}):
        response = await http.get(TOM, headers={"Host": host, **fields})
        assert response.status_code == 200


async def test_the_host_of_an_absolute_target_is_the_one_that_counts(
    node: Node, gateway_at: GatewayAt
) -> None:
    url = await gateway_at(node.address, hosts=())
    line = f"GET http://evil.example{TOM} HTTP/1.1\r\n"
    end = "Host: localhost\r\nConnection: close\r\n\r\n"
    assert [reply.status for reply in await exchange(url, (line + end).encode())] == [421]


async def test_a_request_of_before_hosts_were_named_is_served(
    node: Node, gateway_at: GatewayAt
) -> None:
    url = await gateway_at(node.address, hosts=())
    (reply,) = await exchange(url, f"GET {TOM} HTTP/1.0\r\n\r\n".encode())
    assert reply.status == 200


async def test_a_name_that_was_given_is_served_and_no_other(
    node: Node, gateway_at: GatewayAt
) -> None:
    url = await gateway_at(node.address, hosts=["cache.example.com"])
    for host, status in (("cache.example.com", 200), ("evil.example", 421)):
        get = f"GET {TOM} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        assert [reply.status for reply in await exchange(url, get)] == [status]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "CROSS-SITE", "none, cross-site"])
@pytest.mark.parametrize("path", [TOM, "/groups/scores/keys", "/groups/scores/keys?key=Tom"])
async def test_a_page_of_another_origin_removes_nothing(
    http: httpx.AsyncClient, source: FakeSource, site: str, path: str
) -> None:
    assert (await http.get(TOM)).status_code == 200
    response = await http.delete(path, headers={"Sec-Fetch-Site": site, "Origin": EVIL})
    assert (response.status_code, response.json()["reason"]) == (403, "origin-not-allowed")
    assert (await http.get(TOM)).status_code == 200
    assert source.lookups == ["Tom"]


@pytest.mark.parametrize(
    "fields",
    ["Sec-Fetch-Site: cross-site\t", "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site"],
)
async def test_a_foreign_page_is_known_however_its_field_is_written(
    node: Node, gateway_at: GatewayAt, fields: str
) -> None:
    url = await gateway_at(node.address)
    line = f"DELETE {TOM} HTTP/1.1\r\nHost: x\r\n{fields}\r\nConnection: close\r\n\r\n"
    assert [reply.status for reply in await exchange(url, line.encode())] == [403]


@pytest.mark.parametrize("site", ["same-origin", "none", None])
async def test_pages_of_the_gateway_itself_and_programs_remove(
    http: httpx.AsyncClient, site: str | None
) -> None:
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    assert (await http.delete(TOM, headers=headers)).status_code == 204


@pytest.mark.parametrize("removes", [True, False])
@pytest.mark.parametrize("origin", ["http://app", EVIL])
async def test_pages_that_may_read_remove_only_where_that_is_said_as_well(
    node: Node, gateway_at: GatewayAt, removes: bool, origin: str
) -> None:
    url = await gateway_at(node.address, cors_origins=["http://app"], cors_removal=removes)
    asks = {
        "Origin": origin,
        "Access-Control-Request-Method": "DELETE",
        "Access-Control-Request-Private-Network": "true",
    }
    may = removes and origin != EVIL
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=10) as http:
        preflight = await http.options(TOM, headers=asks)
        assert ("access-control-allow-methods" in preflight.headers) is may
        allowed = preflight.headers.get("access-control-allow-private-network")
        assert allowed == ("true" if may else None)
        response = await http.delete(
            TOM, headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"}
        )
        assert response.status_code == (204 if may else 403)
        read = await http.get(TOM, headers={"Origin": origin})
        assert read.status_code == 200
        allowed = read.headers.get("access-control-allow-origin")
        assert allowed == (None if origin == EVIL else origin)

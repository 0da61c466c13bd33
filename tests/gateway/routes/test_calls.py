"""How a request becomes a call to a node: its deadline, its trace, its retry and its errors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from fakes import FakeSource
from processes import GatewayAt
from spy_node import SpyNode, spying

from cache_core import (
    CacheError,
    NotFound,
    Overloaded,
    PeerUnavailable,
    RetrieverFailed,
    SourceUnavailable,
    UnexpectedStatus,
    ValueTooLarge,
)
from gateway.http.limits import Limits

TOM = "/groups/scores/keys/Tom"
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
async def spy() -> AsyncIterator[SpyNode]:
    async with spying(SpyNode()) as node:
        yield node


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=20) as http:
        yield http


@pytest.mark.parametrize("header", [("grpc-timeout", "250m"), ("X-Request-Timeout", "0.25")])
async def test_a_slow_source_is_504_within_the_deadline_that_was_asked_for(
    gateway_url: str, source: FakeSource, header: tuple[str, str]
) -> None:
    source.gate.clear()
    now = asyncio.get_running_loop().time
    async with client_of(gateway_url) as http:
        await http.get("/none")  # the first request finds the node
        begun = now()
        response = await http.get(TOM, headers=[header])
        assert now() - begun < 5  # the default here is 10
    assert response.status_code == 504
    problem = response.json()
    assert problem["reason"] == "deadline-exceeded"
    assert problem["grpc_status"] == "DEADLINE_EXCEEDED"
    assert problem["retryable"] is True
    await source.left.wait()  # the node's load had the deadline as well
    assert source.cancelled == ["Tom"]


@pytest.mark.parametrize(
    ("headers", "most"),
    [
        ({}, 5),
        ({"grpc-timeout": "3S"}, 3),
        ({"X-Request-Timeout": "60"}, 7),
    ],
)
async def test_the_node_sees_the_deadline(
    spy: SpyNode, gateway_at: GatewayAt, headers: dict[str, str], most: float
) -> None:
    url = await gateway_at(spy.address, limits=Limits(timeout=5, max_timeout=7))
    async with client_of(url) as http:
        assert (await http.get(TOM, headers=headers)).status_code == 200
    (left,) = spy.times_left
    assert most - 2 < left <= most


@pytest.mark.parametrize("header", [("grpc-timeout", "1"), ("X-Request-Timeout", "soon")])
async def test_a_malformed_timeout_is_400_and_asks_no_node(
    spy: SpyNode, gateway_at: GatewayAt, header: tuple[str, str]
) -> None:
    async with client_of(await gateway_at(spy.address)) as http:
        response = await http.get(TOM, headers=[header])
    assert response.status_code == 400
    assert response.json()["reason"] == "malformed-timeout"
    assert spy.times_left == []


async def test_the_trace_goes_on_and_no_other_header_does(
    spy: SpyNode, gateway_at: GatewayAt
) -> None:
    sent = {
        "traceparent": PARENT,
        "tracestate": "a=1",
        "Authorization": "Bearer secret",
        "Cookie": "secret",
        "X-Forwarded-For": "10.0.0.1",
        "X-Request-Id": "1",
        "gaocache-forwarded": "1",
    }
    async with client_of(await gateway_at(spy.address)) as http:
        await http.get(TOM, headers=sent)
        await http.get(TOM, headers={"traceparent": "nonsense", "tracestate": "a=1"})
        await http.get(TOM)
    traced, *untraced = spy.fields
    assert traced.pop("traceparent") == PARENT
    assert traced.pop("tracestate") == "a=1"
    for fields in (traced, *untraced):
        assert set(fields) <= {"user-agent", "gaocache-ring"}
        assert fields["user-agent"] == "gaocache"


async def test_requests_of_one_connection_do_not_share_a_trace(
    spy: SpyNode, gateway_at: GatewayAt
) -> None:
    parts = urlsplit(await gateway_at(spy.address))
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for extra in (f"traceparent: {PARENT}\r\n", "Connection: close\r\n"):
        writer.write(f"GET {TOM} HTTP/1.1\r\nHost: x\r\n{extra}\r\n".encode())
    assert (await reader.read()).count(b"200 OK") == 2
    writer.close()
    assert [fields.get("traceparent") for fields in spy.fields] == [PARENT, None]


@pytest.mark.parametrize(
    ("outcomes", "status", "calls"),
    [
        ([PeerUnavailable("draining")], 200, 2),
        ([PeerUnavailable("draining")] * 3, 503, 2),
        ([RetrieverFailed("broken")], 500, 1),
        ([SourceUnavailable("away")], 503, 1),
        ([Overloaded("busy")], 429, 1),
        ([NotFound("Tom not exist")], 404, 1),
    ],
)
async def test_only_a_node_that_is_unavailable_is_asked_again_and_once(
    gateway_at: GatewayAt, outcomes: list[CacheError], status: int, calls: int
) -> None:
    async with (
        spying(SpyNode(*outcomes)) as node,
        client_of(await gateway_at(node.address)) as http,
    ):
        assert (await http.get(TOM)).status_code == status
    assert len(node.times_left) == calls
    assert max(node.times_left) <= 10


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (Overloaded("busy"), 429, {"retry-after": "1"}),
        (PeerUnavailable("draining"), 503, {"retry-after": "1"}),
        (ValueTooLarge("large"), 502, {}),
        (UnexpectedStatus("who?", status="UNAUTHENTICATED"), 401, {"www-authenticate": "Bearer "}),
        (UnexpectedStatus("no", status="PERMISSION_DENIED"), 403, {}),
        (UnexpectedStatus("there", status="ALREADY_EXISTS"), 409, {}),
        (UnexpectedStatus("lost", status="DATA_LOSS"), 500, {}),
        (UnexpectedStatus("what?", status="UNIMPLEMENTED"), 501, {}),
        (UnexpectedStatus("early", status="FAILED_PRECONDITION"), 400, {}),
        (UnexpectedStatus("quota", status="RESOURCE_EXHAUSTED"), 429, {"retry-after": "1"}),
    ],
    ids=str,
)
async def test_what_a_node_ends_a_call_with_is_its_problem_over_http(
    gateway_at: GatewayAt, error: CacheError, status: int, headers: dict[str, str]
) -> None:
    async with (
        spying(SpyNode(error, error)) as node,
        client_of(await gateway_at(node.address)) as http,
    ):
        response = await http.get(TOM)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    for name, begin in headers.items():
        assert response.headers[name].startswith(begin)
    assert response.json() == {
        "type": f"urn:gaocache:problem:{error.reason}",
        "title": error.reason.replace("-", " ").capitalize(),
        "status": status,
        "detail": error.message,
        "instance": TOM,
        "grpc_status": error.status,
        "reason": error.reason,
        "node": node.address,
        "retryable": error.retryable,
    }


async def test_retry_after_is_what_the_node_says_in_whole_seconds(gateway_at: GatewayAt) -> None:
    error = Overloaded("busy")
    error.retry_after = 6.2
    async with (
        spying(SpyNode(error)) as node,
        client_of(await gateway_at(node.address)) as http,
    ):
        assert (await http.get(TOM)).headers["retry-after"] == "7"

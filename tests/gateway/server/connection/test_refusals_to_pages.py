"""Refusals that the connection itself makes, to a page of another origin."""

import pytest
from processes import GatewayAt
from raw_http import exchange

from cache_core import Node

BEGIN = b"GET /groups/scores/keys/Tom HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        (["http://o"], b"http://o", "http://o"),
        (["http://o"], b"http://other", None),
        (["*"], b"http://other", "*"),
        ([], b"http://o", None),
    ],
)
@pytest.mark.parametrize(
    "fields",
    [[b"Host: y"], [b"X: " + b"a" * 33_000], [b"X: a"] * 200],
    ids=["Host", "size", "many"],
)
async def test_a_page_may_read_a_refusal_as_it_may_any_answer(
    node: Node,
    gateway_at: GatewayAt,
    origins: list[str],
    origin: bytes,
    allowed: str | None,
    fields: list[bytes],
) -> None:
    url = await gateway_at(node.address, cors_origins=origins)
    (reply,) = await exchange(
        url, BEGIN + b"\r\n".join([b"Origin: " + origin, *fields]) + b"\r\n\r\n"
    )
    assert reply.status in {400, 431}
    assert reply.headers.get("access-control-allow-origin") == allowed
    assert (reply.headers.get("vary") == "Origin") is bool(origins)
    assert ("Retry-After" in reply.headers.get("access-control-expose-headers", "")) is bool(
        allowed
    )

"""The gateway counts what it answers, and says so in `/cluster`."""

import httpx
from fakes import FakeSource
from processes import GatewayAt
from raw_http import exchange

from cache_core import Node


async def test_every_answer_is_counted_by_its_class(
    http: httpx.AsyncClient, source: FakeSource
) -> None:
    key = "/groups/scores/keys/Tom"
    etag = (await http.get(key)).headers["etag"]
    await http.head(key)
    await http.get(key, headers={"If-None-Match": etag})
    await http.get("/groups/scores/keys/NotExist")
    await http.get("/nothing")
    await http.delete("/readyz")
    source.error = RuntimeError("it is away")
    await http.get("/groups/scores/keys/Jack")
    gateway = (await http.get("/cluster")).json()["gateway"]
    assert (gateway["workers"], gateway["no_answer"]) == (1, [])
    assert gateway["requests"] == {"2xx": 2, "3xx": 1, "4xx": 3, "5xx": 1}
    assert (await http.get("/cluster")).json()["gateway"]["requests"]["2xx"] == 3


async def test_what_is_no_http_request_is_counted_too(node: Node, gateway_at: GatewayAt) -> None:
    url = await gateway_at(node.address)
    (reply,) = await exchange(url, b"NONSENSE\r\n\r\n")
    assert reply.status == 400
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
        gateway = (await http.get("/cluster")).json()["gateway"]
    assert gateway["requests"] == {"2xx": 0, "3xx": 0, "4xx": 1, "5xx": 0}

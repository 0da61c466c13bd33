"""`/cluster` shows what the gateway holds and answers from near copies."""

import asyncio

import httpx
from processes import GatewayAt

from cache_core import Node
from gateway.survey.gateway_figures import NearFigures, near_in, total


async def near(http: httpx.AsyncClient) -> dict[str, dict[str, int]]:
    shown: dict[str, dict[str, int]] = (await http.get("/cluster")).json()["gateway"]["near"]
    return shown


async def test_hits_of_near_copies_are_shown_which_the_node_does_not_see(
    http: httpx.AsyncClient, node: Node
) -> None:
    key = "/groups/scores/keys/Tom"
    async with asyncio.timeout(10):  # copies are kept once the gateway watches the node
        while not (shown := await near(http)).get("scores", {}).get("entries"):
            await http.get(key)
    asked, answered = node.group("scores").stats().hits, shown["scores"]["hits"]
    for _ in range(3):
        await http.get(key)
    assert (await near(http))["scores"] == {**shown["scores"], "hits": answered + 3}
    assert node.group("scores").stats().hits == asked


async def test_without_a_near_cache_there_are_none(node: Node, gateway_at: GatewayAt) -> None:
    url = await gateway_at(node.address, near_cache=0)
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
        await http.get("/groups/scores/keys/Tom")
        assert await near(http) == {}


def test_workers_figures_add_up() -> None:
    one = {"near": {"g": {"hits": 1, "entries": 2, "bytes": 3}}}
    other = {"near": {"g": {"hits": 4, "entries": 5, "bytes": 6}, "h": one["near"]["g"]}}
    assert near_in(total([one, other])) == {
        "g": NearFigures(hits=5, entries=7, bytes=9),
        "h": NearFigures(hits=1, entries=2, bytes=3),
    }

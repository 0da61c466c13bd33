"""Groups and the cluster, over real sockets, real nodes behind them."""

import json

import httpx
import pytest
from fakes import FakeSource
from processes import GatewayAt

from cache_core import Group, GroupSettings, Node

KEYS = "/groups/scores/keys"


async def test_a_group_is_shown_with_its_settings_and_figures(http: httpx.AsyncClient) -> None:
    for key in ("Tom", "Tom", "Jack", "NotExist"):
        await http.get(f"{KEYS}/{key}")
    response = await http.get("/groups/scores")
    assert response.headers["cache-control"] == "no-store"
    group = response.json()
    assert group["group"] == "scores"
    assert list(group["settings"]) == list(GroupSettings.model_fields)
    assert group["settings"]["capacity"] == 64 * 1024 * 1024
    figures = group["figures"]
    assert (figures["hits"], figures["misses"], figures["entries"]) == (1, 3, 2)
    assert group["no_answer"] == []
    assert (await http.get("/groups")).json() == {"groups": [group], "no_answer": []}


async def test_groups_are_there_by_name_whatever_it_is(
    source: FakeSource, gateway_at: GatewayAt
) -> None:
    names = ["ä/b", "a", "<b>"]
    async with Node("127.0.0.1:0", [Group(name, source) for name in names]) as node:
        url = await gateway_at(node.address)
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
            groups = (await http.get("/groups")).json()["groups"]
            assert [group["group"] for group in groups] == sorted(names)
            assert (await http.get("/groups/%C3%A4%2Fb")).json()["group"] == "ä/b"
            assert (await http.get("/groups/a")).json()["nodes"] == [node.address]


async def test_no_groups_are_an_empty_list(gateway_at: GatewayAt) -> None:
    async with (
        Node("127.0.0.1:0", []) as node,
        httpx.AsyncClient(trust_env=False, verify=False) as http,
    ):
        found = (await http.get(f"{await gateway_at(node.address)}/groups")).json()
    assert found == {"groups": [], "no_answer": []}


async def test_an_unknown_group_is_404(http: httpx.AsyncClient) -> None:
    response = await http.get("/groups/none")
    assert (response.status_code, response.json()["reason"]) == (404, "unknown-group")
    assert response.json()["detail"] == "group not found"


async def test_figures_are_summed_over_the_nodes_that_answer(
    trio_http: httpx.AsyncClient, trio: list[Node], source: FakeSource
) -> None:
    source.values.update({str(n): b"x" for n in range(60)})
    body = json.dumps({"keys": [str(n) for n in range(60)]})
    headers = {"Content-Type": "application/json"}
    await trio_http.post(f"{KEYS}:batchGet", content=body, headers=headers)
    group = (await trio_http.get("/groups/scores")).json()
    assert group["figures"]["loads"] == group["figures"]["entries"] == 60
    assert group["nodes"] == sorted(node.address for node in trio)
    gone = trio[0]
    lost = gone.info().groups["scores"].stats.loads
    await gone.stop(drain=False)
    group = (await trio_http.get("/groups/scores")).json()
    assert group["figures"]["loads"] == 60 - lost
    assert gone.address not in group["nodes"]
    assert [missing["node"] for missing in group["no_answer"]] == [gone.address]
    assert (await trio_http.get("/groups")).json()["no_answer"] == group["no_answer"]


@pytest.mark.parametrize("path", ["/groups", "/groups/scores"])
async def test_with_no_node_that_answers_groups_are_503(
    http: httpx.AsyncClient, node: Node, path: str
) -> None:
    await node.stop(drain=False)
    response = await http.get(path)
    assert (response.status_code, response.json()["reason"]) == (503, "node-unavailable")


async def test_the_cluster_shows_its_nodes_and_their_shares(
    trio_http: httpx.AsyncClient, trio: list[Node]
) -> None:
    response = await trio_http.get("/cluster")
    assert response.headers["cache-control"] == "no-store"
    cluster = response.json()
    assert cluster["warnings"] == []
    assert len(cluster["ring"]) == 16
    nodes = cluster["nodes"]
    assert [node["node"] for node in nodes] == sorted(node.address for node in trio)
    assert {node["health"] for node in nodes} == {"up"}
    assert {node["ring"] for node in nodes} == {cluster["ring"]}
    assert sum(node["share"] for node in nodes) == pytest.approx(1)
    assert all(node["uptime"] >= 0 and "scores" in node["groups"] for node in nodes)


async def test_the_cluster_is_shown_in_part_where_a_node_does_not_answer(
    trio_http: httpx.AsyncClient, trio: list[Node]
) -> None:
    gone = trio[1]
    await gone.stop(drain=False)
    response = await trio_http.get("/cluster")
    assert response.status_code == 200
    by_node = {node["node"]: node for node in response.json()["nodes"]}
    assert by_node[gone.address]["health"] == "no answer"
    assert by_node[gone.address]["error"] == f"node {gone.address} can't be reached"
    assert by_node[gone.address]["share"] > 0
    assert by_node[trio[0].address]["error"] is None


async def test_a_member_that_the_gateway_was_not_told_of_is_shown(
    trio: list[Node], gateway_at: GatewayAt
) -> None:
    url = await gateway_at(trio[0].address)
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
        nodes = (await http.get("/cluster")).json()["nodes"]
    assert [node["node"] for node in nodes] == sorted(node.address for node in trio)
    assert sum(node["share"] for node in nodes) == pytest.approx(1)


async def test_with_no_node_that_answers_the_cluster_says_so(
    http: httpx.AsyncClient, node: Node
) -> None:
    await node.stop(drain=False)
    response = await http.get("/cluster")
    assert response.status_code == 200
    (only,) = response.json()["nodes"]
    assert (only["node"], only["health"]) == (node.address, "no answer")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", ["/groups", "/groups/scores", "/cluster"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_no_cache_keeps_what_is_true_for_a_moment(
    shared_http: httpx.AsyncClient, method: str, path: str
) -> None:
    response = await shared_http.request(method, path)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")

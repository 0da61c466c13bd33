"""What an orchestrator is told, over real sockets."""

import httpx
from clusters import cluster_of, peers_of
from fakes import FakeSource
from processes import GatewayAt

from cache_core import Client, Node
from gateway.app import create_app


async def test_with_a_node_it_is_alive_and_ready(http: httpx.AsyncClient) -> None:
    for path, status in (("/livez", "alive"), ("/readyz", "ready")):
        response = await http.get(path)
        assert (response.status_code, response.json()) == (200, {"status": status})
        assert response.headers["cache-control"] == "no-store"


async def test_without_a_node_it_is_alive_and_not_ready(
    http: httpx.AsyncClient, node: Node
) -> None:
    await node.stop(drain=False)
    assert (await http.get("/livez")).status_code == 200
    response = await http.get("/readyz")
    assert (response.status_code, response.json()["detail"]) == (503, "no node answers")
    assert response.headers["cache-control"] == "no-store"
    assert (await http.head("/readyz")).status_code == 503


async def test_a_node_that_comes_back_makes_it_ready_again(
    http: httpx.AsyncClient, node: Node
) -> None:
    await node.stop(drain=False)
    assert (await http.get("/readyz")).status_code == 503
    await node.start()
    while (await http.get("/readyz")).status_code != 200:
        pass


async def test_one_node_that_answers_is_enough(source: FakeSource, gateway_at: GatewayAt) -> None:
    async with cluster_of(2, source) as nodes:
        url = await gateway_at(peers_of([node.address for node in nodes]))
        await nodes[0].stop(drain=False)
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            assert (await http.get(f"{url}/readyz")).status_code == 200


async def test_while_draining_it_is_alive_and_not_ready(client: Client) -> None:
    app = create_app(client, is_draining=lambda: True)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        assert (await http.get("/livez")).status_code == 200
        response = await http.get("/readyz")
    assert (response.status_code, response.json()["detail"]) == (503, "the gateway is draining")

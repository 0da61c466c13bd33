"""`gaocache up --nodes N`: nodes that share the keys out and are kept running."""

import json
import os
import re
import signal
from pathlib import Path
from time import monotonic

import httpx
import pytest
from fakes import SCORES
from processes import Run, Serving, Start, child_listening_at

pytestmark = pytest.mark.slow  # three processes or more a test

FREE_PORTS = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
CONFIG = """
[groups.scores.source]
kind = "sql"
url = "sqlite:///{}"
query = "SELECT score FROM scores WHERE name = :key"
"""


class Cluster:
    """`gaocache up` with several nodes, once all serve."""

    def __init__(self, up: Serving) -> None:
        self.up = up
        self.nodes = re.findall(r"^  node     (\S+)$", up.said, re.MULTILINE)
        (self.gateway,) = re.findall(r"^  gateway  http://(\S+)$", up.said, re.MULTILINE)

    def kill(self, address: str, number: signal.Signals) -> None:
        """Send a signal to the child that serves there."""
        os.kill(child_listening_at(self.up, address), number)

    async def get(self, key: str) -> httpx.Response:
        """Ask the gateway for a score."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            return await http.get(f"http://{self.gateway}/groups/scores/keys/{key}")


@pytest.fixture
async def cluster(start: Start) -> Cluster:
    up = await start("up", "--nodes", "3", *FREE_PORTS)
    await up.until(r"/docs\n")
    return Cluster(up)


async def until_all_have_met(cluster: Cluster, run: Run) -> None:
    healths = {"left out"}
    while healths != {"up"}:
        ended = await run("cluster", "--json", "--node", cluster.nodes[0])
        healths = {node["health"] for node in json.loads(ended.stdout)["nodes"]}


async def test_three_nodes_share_the_keys_out(cluster: Cluster, run: Run) -> None:
    assert len(set(cluster.nodes)) == 3
    assert f"gaocache cluster --node {cluster.nodes[0]}" in cluster.up.said
    await until_all_have_met(cluster, run)
    for key, score in SCORES.items():
        assert (await cluster.get(key)).json()["value"] == score.decode()
        for node in cluster.nodes:
            assert (await run("get", "scores", key, "--node", node)).stdout == score
    ended = await run("cluster", "--json", "--node", cluster.nodes[1])
    survey = json.loads(ended.stdout)
    assert (survey["warnings"], len(survey["ring"])) == ([], 16)
    assert [node["node"] for node in survey["nodes"]] == sorted(cluster.nodes)
    assert {node["health"] for node in survey["nodes"]} == {"up"}
    assert sum(node["share"] for node in survey["nodes"]) == pytest.approx(1)
    assert sum(node["groups"]["scores"]["loads"] for node in survey["nodes"]) == len(SCORES)


async def test_a_node_that_is_killed_is_started_again_and_the_others_go_on(
    cluster: Cluster, run: Run
) -> None:
    node = cluster.nodes[1]
    cluster.kill(node, signal.SIGKILL)
    await cluster.up.until(
        f"\nnode {node} was ended by SIGKILL; the others go on, and it is started again\n"
    )
    answers = [await cluster.get(key) for key in SCORES]
    assert [answer.status_code for answer in answers] == [200] * len(SCORES)
    await cluster.up.until(f"\nnode {node} serves again\n")
    assert (await run("get", "scores", "Tom", "--node", node)).stdout == b"630"


async def test_a_node_told_to_stop_drains_and_is_started_again(cluster: Cluster) -> None:
    node = cluster.nodes[0]
    cluster.kill(node, signal.SIGTERM)
    await cluster.up.until(f"\nnode {node} has ended; the others go on, and it is started again\n")
    await cluster.up.until(f"\nnode {node} serves again\n")


async def test_a_gateway_that_dies_is_started_again_where_it_was(start: Start) -> None:
    up = await start("up", *FREE_PORTS)
    await up.until(r"/docs\n")
    cluster = Cluster(up)
    cluster.kill(cluster.gateway, signal.SIGKILL)
    await up.until(
        f"\ngateway {cluster.gateway} was ended by SIGKILL; it is started again\n"
        f"gateway {cluster.gateway} serves again\n"
    )
    assert (await cluster.get("Tom")).json()["value"] == "630"


async def test_a_node_that_cannot_start_again_is_tried_again_until_it_can(
    start: Start, scores_db: Path, tmp_path: Path
) -> None:
    config = tmp_path / "gaocache.toml"
    right = CONFIG.format(scores_db)
    config.write_text(right)
    up = await start("up", "--config", str(config), *FREE_PORTS)
    await up.until(r"/docs\n")
    (node,) = Cluster(up).nodes
    config.write_text("oh no")
    os.kill(child_listening_at(up, node), signal.SIGKILL)
    await up.until(f"\nnode {node} can't start; it is tried again in 1 s\n")
    config.write_text(right)
    await up.until(f"\nnode {node} serves again\n")


async def test_a_ctrl_c_ends_all_without_a_drain(cluster: Cluster) -> None:
    began = monotonic()
    ended = await cluster.up.stop(signal.SIGINT)
    assert monotonic() - began < 3
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.endswith(b"\nStopping.\n")


async def test_nodes_at_every_address_of_the_machine_know_each_other_by_loopback(
    start: Start, run: Run
) -> None:
    up = await start("up", "--nodes", "2", "--listen", "127.0.0.1:0", "--node-listen", "0.0.0.0:0")
    await up.until(r"/docs\n")
    first, second = Cluster(up).nodes
    assert first.startswith("127.0.0.1:")
    assert (await run("get", "scores", "Sam", "--node", second)).stdout == b"567"

"""`gaocache up` with the `[node]` and `[gateway]` of a config."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from processes import Run, Start

from cache_core.config import Settings, load
from gateway.cli.failure import Failure
from gateway.cli.processes.fleet import Fleet, fleet_of

CONFIG = """\
[gateway]
listen = "{gateway}"
timeout = "3s"
[node]
listen = "{first}"
peers  = "static://{first},{second}"
[groups.scores]
capacity = "64MiB"
[groups.scores.source]
kind = "sql"
url = "sqlite:///scores.db"
query = "SELECT score FROM scores WHERE name = :key"
"""


def settings_of(folder: Path, node: str) -> Settings:
    file = folder / "gaocache.toml"
    file.write_text(f"[node]\n{node}\n" + CONFIG[CONFIG.index("[groups.scores]") :])
    return load(file, environ={})


def places(fleet: Fleet) -> list[tuple[str, str]]:
    return [(str(place.listen), place.name) for place in fleet.places]


@pytest.fixture
def ports() -> list[int]:
    with ExitStack() as held:
        socks = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        return [sock.getsockname()[1] for sock in socks]


@pytest.mark.slow  # three processes
async def test_the_addresses_of_the_file_are_served_all_of_them(
    run: Run, start: Start, scores_db: Path, ports: list[int]
) -> None:
    gateway, first, second = (f"127.0.0.1:{port}" for port in ports)
    file = scores_db.parent / "gaocache.toml"
    file.write_text(CONFIG.format(gateway=gateway, first=first, second=second))
    up = await start("up", "--config", str(file))
    assert await up.until(r"gateway  http://(\S+)") == gateway
    await up.until(r"/docs\n")
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"http://{gateway}/groups/scores/keys/Tom")
    assert answer.json()["value"] == "630"
    survey = json.loads((await run("cluster", "--json", "--node", second)).stdout)
    assert {node["node"] for node in survey["nodes"]} == {first, second}


@pytest.mark.slow  # three processes
async def test_node_and_gateway_take_the_same_file(
    run: Run, start: Start, scores_db: Path, ports: list[int]
) -> None:
    gateway, first, second = (f"127.0.0.1:{port}" for port in ports)
    file = scores_db.parent / "gaocache.toml"
    file.write_text(CONFIG.format(gateway=gateway, first=first, second=second))
    one = await start("node", "--config", str(file))
    two = await start("node", "--config", str(file), GAOCACHE_NODE_LISTEN=second)
    front = await start("gateway", "--config", str(file))
    assert await one.until(r"node (\S+) serves scores") == first
    assert await two.until(r"node (\S+) serves scores") == second
    asks = await front.until(rf"gateway http://{gateway} asks (\S+)")
    assert asks == f"static://{first},{second}"
    got = await run("get", "scores", "Tom", "--gateway", f"http://{gateway}")
    assert got.stdout == b"630"


def test_without_peers_one_node_is_alone_and_more_are_a_cluster_of_their_own(
    tmp_path: Path,
) -> None:
    settings = settings_of(tmp_path, 'listen = "0.0.0.0:8080"')
    one, three = fleet_of(settings, None), fleet_of(settings, 3)
    assert places(one) == [("0.0.0.0:8080", "127.0.0.1:8080")]
    assert one.peers == "static://127.0.0.1:8080"
    assert three.peers == "static://127.0.0.1:8080,127.0.0.1:8081,127.0.0.1:8082"
    assert len(three.places) == 3


def test_of_a_list_those_at_this_machine_are_started(tmp_path: Path) -> None:
    peers = 'peers = "static://192.0.2.1:1,127.0.0.1:2*2,localhost:3,no.such.invalid:4"'
    fleet = fleet_of(settings_of(tmp_path, peers), None)
    assert places(fleet) == [("127.0.0.1:2", "127.0.0.1:2"), ("localhost:3", "localhost:3")]
    assert fleet.peers is None
    everywhere = settings_of(tmp_path, f'listen = "0.0.0.0:9"\n{peers}')
    assert places(fleet_of(everywhere, None)) == [
        ("0.0.0.0:2", "127.0.0.1:2"),
        ("0.0.0.0:3", "localhost:3"),
    ]


def test_a_list_of_other_machines_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, 'peers = "static://192.0.2.1:1,198.51.100.7:1"')
    with pytest.raises(Failure, match=r":2: node.peers: none of them .* --nodes 1"):
        fleet_of(settings, None)
    assert len(fleet_of(settings, 2).places) == 2


def test_in_a_cluster_that_is_no_list_one_node_is_started(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path, 'listen = "0.0.0.0:8080"\nadvertise = "gao1:80"\npeers = "dns://gao:80"'
    )
    fleet = fleet_of(settings, None)
    assert (places(fleet), fleet.peers) == ([("0.0.0.0:8080", "gao1:80")], None)


def test_nodes_may_take_the_ports_up_to_the_last_and_no_more(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, 'listen = "127.0.0.1:65534"')
    assert [place.listen.port for place in fleet_of(settings, 2).places] == [65534, 65535]
    with pytest.raises(Failure, match="3 nodes from port 65534 on go past 65535"):
        fleet_of(settings, 3)

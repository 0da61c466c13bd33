import re
import shlex
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from processes import GatewayAt, Run, Start, child_listening_at

from cache_core import Client, Group, Node, PeerUnavailable
from gateway.cli.commands.up import examples

FREE_PORTS = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
GATEWAY = r"gateway  (http://\S+)"
NODE = r"node     (\S+)"


async def get(url: str, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        return await http.get(url + path)


async def test_up_serves_the_demo_and_says_what_to_try(start: Start) -> None:
    up = await start("up", *FREE_PORTS)
    url = await up.until(GATEWAY)
    node = await up.until(NODE)
    await up.until(r"/docs\n")
    assert f"curl -s {url}/groups/scores/keys/Tom" in up.said
    assert f"gaocache get scores Tom --node {node}" in up.said
    for name, score in (("Tom", "630"), ("Jack", "589"), ("Sam", "567"), ("Alice", "788")):
        assert (await get(url, f"/groups/scores/keys/{name}")).json()["value"] == score


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_all_and_leaves_nothing_behind(
    start: Start, number: signal.Signals
) -> None:
    up = await start("up", *FREE_PORTS)
    url, node = await up.until(GATEWAY), await up.until(NODE)
    ended = await up.stop(number)
    assert (ended.status, ended.stderr) == (0, "")
    with pytest.raises(httpx.ConnectError):
        await get(url, "/groups/scores/keys/Tom")
    async with Client(node) as client:
        with pytest.raises(PeerUnavailable):
            await client.get("scores", "Tom")


@pytest.mark.slow
async def test_the_children_of_a_killed_up_stop_by_themselves(start: Start) -> None:
    up = await start("up", *FREE_PORTS)
    node = await up.until(NODE)
    await up.until(r"/docs\n")
    await up.stop(signal.SIGKILL)
    async with Client(node, timeout=10) as client:
        with pytest.raises(PeerUnavailable):
            await get_for_ever(client)


async def get_for_ever(client: Client) -> None:
    while True:
        await client.get("scores", "Tom")


@pytest.mark.slow
async def test_the_demos_files_are_made_once_and_never_overwritten(
    run: Run, start: Start, tmp_path: Path
) -> None:
    up = await start("up", *FREE_PORTS)
    await up.until(r"/docs\n")
    await up.stop()
    with closing(sqlite3.connect(tmp_path / "data" / "scores.db")) as connection, connection:
        connection.execute("UPDATE scores SET score = '631' WHERE name = 'Tom'")
    node = await start("node", "--listen", "127.0.0.1:0")
    address = await node.until(r"node (\S+) serves scores")
    assert (await run("get", "scores", "Tom", "--node", address)).stdout == b"631"
    assert sorted(file.name for file in (tmp_path / "data").iterdir()) == [
        "gaocache.toml",
        "scores.db",
    ]


@pytest.mark.slow
async def test_a_table_of_ones_own_is_served(start: Start, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "world.db")) as connection, connection:
        connection.execute("CREATE TABLE countries (name TEXT, capital TEXT)")
        connection.execute("INSERT INTO countries VALUES ('Peru', 'Lima')")
    config = tmp_path / "gaocache.toml"
    config.write_text(
        '[groups.capitals.source]\nkind = "sql"\nurl = "sqlite:///world.db"\n'
        'query = "SELECT capital FROM countries WHERE name = :key"\n'
    )
    up = await start("up", *FREE_PORTS, "--config", str(config))
    url = await up.until(GATEWAY)
    assert (await get(url, "/groups/capitals/keys/Peru")).json()["value"] == "Lima"
    assert (await get(url, "/groups/scores/keys/Tom")).json()["reason"] == "unknown-group"


@pytest.mark.parametrize("group", ["a/b", "it's $HOME & ü", "[red]", "-v", "a\\b"])
async def test_the_lines_to_try_run_in_a_shell(run: Run, gateway_at: GatewayAt, group: str) -> None:
    async with Node("127.0.0.1:0", [Group(group, lambda key: key.encode())]) as node:
        address = (await gateway_at(node.address)).removeprefix("http://")
        curl, gaocache, _ = examples(address, node.address, group, "KEY")
        program, option, target = shlex.split(curl)
        assert (program, option) == ("curl", "-s")
        assert (await get(target, "")).json()["group"] == group
        assert (await run(*shlex.split(gaocache)[1:])).stdout == b"KEY"


@pytest.mark.slow
async def test_up_says_an_ipv6_address_as_it_is(start: Start) -> None:
    up = await start("up", "--listen", "[::1]:0", "--node-listen", "[::1]:0")
    url = await up.until(GATEWAY)
    assert url.startswith("http://[::1]:")
    assert (await up.until(NODE)).startswith("[::1]:")
    await up.until(re.escape(f"  {url}/docs"))
    assert shlex.quote(f"{url}/groups/scores/keys/Tom") in up.said
    assert (await get(url, "/groups/scores/keys/Tom")).json()["value"] == "630"


async def test_at_debug_level_the_tutorials_lines_appear(start: Start, run: Run) -> None:
    node = await start("node", "--listen", "127.0.0.1:0", "--log-level", "debug")
    address = await node.until(r"node (\S+) serves")
    for _ in range(2):
        await run("get", "scores", "Tom", "--node", address)
    ended = await node.stop()
    lines = [line.split(" DEBUG ")[1] for line in ended.stderr.splitlines() if " DEBUG " in line]
    assert lines == [
        f"[gaocache_svr {address}] Recv RPC Request - (scores)/(Tom)",
        "[source scores] search key Tom",
        f"[gaocache_svr {address}] Recv RPC Request - (scores)/(Tom)",
        "cache hit (scores)/(Tom)",
    ]


async def test_a_node_told_to_stop_ends_well_and_says_nothing(start: Start) -> None:
    node = await start("node", "--listen", "127.0.0.1:0")
    await node.until("serves")
    ended = await node.stop()
    assert (ended.status, ended.stderr) == (0, "")


@pytest.mark.slow
async def test_up_tells_the_gateway_what_requests_may(start: Start) -> None:
    page, other = "https://app.example.com", "http://localhost:3000"
    cors = "--cors-origin", page, "--cors-origin", other
    up = await start("up", *FREE_PORTS, "--max-timeout", "2.5", *cors, "--no-fast-lane")
    url = await up.until(GATEWAY)
    await up.until(r"/docs\n")
    gateway = child_listening_at(up, url.removeprefix("http://"))
    assert b"\0--no-fast-lane\0" in Path(f"/proc/{gateway}/cmdline").read_bytes()
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        for origin in (page, other):
            response = await http.get(
                f"{url}/groups/scores/keys/Tom", headers={"Origin": origin, "grpc-timeout": "1H"}
            )
            assert response.status_code == 200
            assert response.headers["access-control-allow-origin"] == origin

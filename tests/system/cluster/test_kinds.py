"""Nodes as processes that find each other by DNS and by etcd; a list is in test_survival.py."""

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from signal import Signals

import pytest
from cluster.etcd import EtcdServer, etcd_at
from cluster.fleet import MakeFleet, free_addresses
from cluster.names import NSS_WRAPPER, Names
from cluster.traffic import traffic
from processes import spawn

from cache_core import Client
from cache_core.messages import NodeInfo

pytestmark = [pytest.mark.service, pytest.mark.slow]
KEYS = 200


@pytest.fixture
async def etcd(tmp_path: Path) -> AsyncIterator[EtcdServer]:
    folder = tmp_path / "etcd"
    folder.mkdir()
    async with etcd_at(folder) as server:
        yield server


async def until_members(node: str, expected: Collection[str]) -> None:
    """Wait until `node` knows the members `expected` and no others."""
    async with asyncio.timeout(30), Client(node, timeout=5) as client:
        while True:
            info = (await client.describe())[node]
            if isinstance(info, NodeInfo) and {m.node for m in info.members} == set(expected):
                return
            await asyncio.sleep(0.1)  # another process's view gives no event


async def test_nodes_behind_a_name_share_its_keys(make_fleet: MakeFleet, tmp_path: Path) -> None:
    if NSS_WRAPPER is None:
        pytest.skip("nss_wrapper is not installed (Debian's libnss-wrapper)")
    port = free_addresses(1)[0].rpartition(":")[2]
    hosts = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
    names = Names(tmp_path)
    names.set(*hosts)
    fleet = make_fleet(KEYS, **names.environment)
    nodes = [f"{host}:{port}" for host in hosts]
    peers = f"dns://{names.name}:{port}"
    await asyncio.gather(*(fleet.start(node, peers) for node in nodes))
    await fleet.settled(f"static://{','.join(nodes)}")
    process = await spawn(["get", "g", "7", "--peers", peers, "--timeout", "5"], fleet.environment)
    stdout, _ = await process.communicate()
    assert stdout == b"v7"
    async with Client(nodes[0]) as client, traffic(client, KEYS) as asking:
        await asking.more(500)
        await fleet.end(nodes[2], Signals.SIGKILL)
        await asking.more(500)
        names.set(*hosts[:2])
        await until_members(nodes[0], nodes[:2])
        await asking.more(500)
    assert asking.failed == []


async def test_nodes_in_etcd_go_on_without_it_and_meet_again(
    make_fleet: MakeFleet, etcd: EtcdServer
) -> None:
    nodes = free_addresses(4)
    peers = f"etcd://127.0.0.1:{etcd.port}/gaocache"
    fleet = make_fleet(KEYS)
    await fleet.start_all(nodes[:3], peers)
    await until_members(nodes[0], nodes[:3])
    async with Client(peers) as client, traffic(client, KEYS) as asking:
        await asking.more(500)
        await etcd.kill()
        await asking.more(500)
        await fleet.end(nodes[2], Signals.SIGKILL)
        await asking.more(1000)
        await etcd.start()
        await fleet.start(nodes[3], peers)
        await until_members(nodes[0], [nodes[0], nodes[1], nodes[3]])
        await asking.more(500)
    assert asking.failed == []


async def test_a_node_that_finds_no_registry_says_so_and_ends(make_fleet: MakeFleet) -> None:
    (node, nothing) = free_addresses(2)
    fleet = make_fleet(1)
    process = await spawn(
        ["node", "--listen", node, "--config", str(fleet.config), "--peers", f"etcd://{nothing}/g"],
        fleet.environment,
    )
    _, stderr = await process.communicate()
    assert process.returncode == 1
    assert "Traceback" not in stderr.decode()
    assert nothing in stderr.decode()

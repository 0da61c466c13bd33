"""From one node to three on different hosts, as the page on clusters has it.

Each host is an address of this machine.
"""

import asyncio
import contextlib
import re
import shlex
from pathlib import Path

import pytest
from cluster.etcd import etcd_at
from cluster.fleet import MakeFleet, free_addresses
from cluster.names import NSS_WRAPPER, Names
from documents import document
from processes import Serving, spawn

from cache_core import Client

pytestmark = [pytest.mark.service, pytest.mark.slow]
PAGE = document("cache_core/cluster/README.md")


def command(start: str, kind: str) -> str:
    (line,) = re.findall(rf"^{start} .*--peers {kind}://\S+$", PAGE, flags=re.MULTILINE)
    return str(line)


@pytest.mark.parametrize("kind", ["static", "dns", "etcd"])
async def test_three_hosts_are_one_cluster(
    make_fleet: MakeFleet, tmp_path: Path, kind: str
) -> None:
    if kind == "dns" and NSS_WRAPPER is None:
        pytest.skip("nss_wrapper is not installed (Debian's libnss-wrapper)")
    port = free_addresses(1)[0].rpartition(":")[2]
    hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    nodes = [f"{host}:{port}" for host in hosts]
    names = Names(tmp_path)
    names.set(*hosts)
    fleet = make_fleet(20, **(names.environment if kind == "dns" else {}))
    async with contextlib.AsyncExitStack() as started:
        etcd = ""
        if kind == "etcd":
            folder = tmp_path / "etcd"
            folder.mkdir()
            etcd = str((await started.enter_async_context(etcd_at(folder))).address)

        def here(line: str, host: str) -> list[str]:
            line = line.replace("etcd1:2379,etcd2:2379", etcd)
            line = line.replace("--advertise gao1:8080", f"--advertise {host}:{port}")
            line = line.replace("--advertise 10.0.0.1:8080", f"--advertise {host}:{port}")
            line = line.replace("0.0.0.0:8080", f"{host}:{port}")
            line = line.replace("gao.example.com:8080", f"{names.name}:{port}")
            for number, node in enumerate(nodes, 1):
                line = line.replace(f"gao{number}:8080", node)
            return shlex.split(line.replace("gaocache.toml", str(fleet.config)))[1:]

        for host, node in zip(hosts, nodes, strict=True):
            arguments = here(command("gaocache node", kind), host)
            fleet.nodes[node] = Serving(await spawn(arguments, fleet.environment))
        await asyncio.gather(*(serving.until("serves") for serving in fleet.nodes.values()))
        await fleet.settled(f"static://{','.join(nodes)}")
        async with Client(nodes[0], timeout=5) as client:
            assert (await client.get("g", "7")).data == b"v7"
        if kind == "static":
            shown = await spawn(here(command("gaocache cluster", kind), ""), fleet.environment)
            stdout, _ = await shown.communicate()
            assert [node for node in nodes if node not in stdout.decode()] == []

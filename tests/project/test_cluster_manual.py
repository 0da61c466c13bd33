"""The page on clusters tells the truth; its hosts are tried in tests/system/cluster."""

import re
import shlex
from pathlib import Path

import pytest
from documents import blocks, document
from processes import GAOCACHE, Serving, spawn
from running_up import BIN, Up, output

PAGE = document("cache_core/cluster/README.md")


@pytest.mark.slow
async def test_its_first_command_starts_three_nodes_and_a_gateway(tmp_path: Path) -> None:
    first, *_ = blocks(PAGE, "sh")
    environment = {"GAOCACHE_DATA_DIR": str(tmp_path), "PATH": str(BIN)}
    free_ports = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
    up = Serving(await spawn([*shlex.split(first)[1:], *free_ports], environment))
    try:
        await up.until(r"/docs\n")
        nodes = re.findall(r"^  node     (\S+)", up.said, re.MULTILINE)
        assert len(nodes) == 3
        (shown,) = (block for block in blocks(PAGE, "text") if "uptime" in block)
        printed = await output(str(GAOCACHE), "cluster", "--node", nodes[0])
        assert printed.splitlines()[1].split() == shown.splitlines()[1].split()
    finally:
        assert (await up.stop()).status == 0


@pytest.mark.asyncio(loop_scope="module")
async def test_the_command_that_removes_prints_what_is_shown(up: Up) -> None:
    (session,) = blocks(PAGE, "console")
    command, shown = up.at_its_ports(session).removeprefix("$ ").split("\n", 1)
    assert await output(str(GAOCACHE), *shlex.split(command)[1:]) == shown


@pytest.mark.slow
async def test_a_gateway_starts_that_is_told_the_members_as_shown() -> None:
    (line,) = re.findall(r"^gaocache gateway .+$", PAGE, re.MULTILINE)
    line = re.sub(r"gao\d:8080", "127.0.0.1:1", line.replace("0.0.0.0:8000", "127.0.0.1:0"))
    gateway = Serving(await spawn(shlex.split(line)[1:], {"PATH": str(BIN)}))
    await gateway.until(r"http://127\.0\.0\.1:\d+")
    assert (await gateway.stop()).status == 0

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
        assert len(re.findall(r"^  node     ", up.said, re.MULTILINE)) == 3
    finally:
        assert (await up.stop()).status == 0


@pytest.mark.asyncio(loop_scope="module")
async def test_the_commands_that_remove_are_done(up: Up) -> None:
    (commands,) = (block for block in blocks(PAGE, "sh") if "gaocache rm" in block)
    assert len(commands.splitlines()) == 2
    for command in commands.splitlines():
        arguments = shlex.split(command)[1:]
        assert await output(str(GAOCACHE), *arguments, "--node", up.node) == ""


@pytest.mark.slow
async def test_a_gateway_starts_that_is_told_the_members_as_shown() -> None:
    (line,) = re.findall(r"^gaocache gateway .+$", PAGE, re.MULTILINE)
    line = re.sub(r"gao\d:8080", "127.0.0.1:1", line.replace("0.0.0.0:8000", "127.0.0.1:0"))
    gateway = Serving(await spawn(shlex.split(line)[1:], {"PATH": str(BIN)}))
    await gateway.until(r"http://127\.0\.0\.1:\d+")
    assert (await gateway.stop()).status == 0

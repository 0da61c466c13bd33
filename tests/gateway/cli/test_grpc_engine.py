"""What carries a node's calls, as chosen on the command line and in the config."""

import sys
from pathlib import Path

import pytest
from processes import Run, Start

from cache_core import Client, PeerUnavailable

ENDS_ITS_ENGINE = """
import gc
from cache_core.rpc.native.server import NativeServer

def get(key):
    if key == "end":
        for found in gc.get_objects():
            if isinstance(found, NativeServer):
                found._front.close()
    return key.encode()
"""
CONFIG = """
[groups.g.source]
kind = "python"
target = "ends_its_engine:get"
"""


async def test_a_node_whose_engine_ends_says_so_and_ends(start: Start, tmp_path: Path) -> None:
    (tmp_path / "ends_its_engine.py").write_text(ENDS_ITS_ENGINE)
    (tmp_path / "gaocache.toml").write_text(CONFIG)
    options = ("--config", str(tmp_path / "gaocache.toml"), "--listen", "127.0.0.1:0")
    node = await start("node", *options, "--grpc-engine", "native")
    address = await node.until(r"node (\S+) serves g")
    async with Client(address, timeout=10) as client:
        assert (await client.get("g", "k")).data == b"k"
        with pytest.raises(PeerUnavailable):
            await client.get("g", "end")
    ended = await node.end()
    assert ended.status == 1
    assert ended.stderr == (
        f"gaocache: node {address} can't go on: "
        "the native gRPC engine has ended by itself: its queue was closed\n"
    )


@pytest.mark.parametrize(("asked", "taken"), [("auto", "native"), ("grpcio", "grpcio")])
async def test_which_engine_was_taken_is_logged(start: Start, asked: str, taken: str) -> None:
    pytest.importorskip("pygrpc_native", reason="the extra `fast` is not installed")
    options = ("--listen", "127.0.0.1:0", "--grpc-engine", asked, "--log-level", "info")
    node = await start("node", *options)
    address = await node.until(r"node (\S+) serves scores")
    ended = await node.stop()
    assert f" INFO node {address} serves by the {taken} engine\n" in ended.stderr


@pytest.mark.parametrize("command", [("node", "--config"), ("check",)])
async def test_an_engine_that_is_not_installed_is_named_with_its_extra(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "pygrpc_native", None)
    config = tmp_path / "gaocache.toml"
    config.write_text('[node]\ngrpc_engine = "native"' + CONFIG)
    ended = await run(*command, str(config))
    assert ended.status == 1
    assert (
        f"{config}:2: node.grpc_engine: it needs the extra `fast`: pip install 'gaocache[fast]'"
        in ended.stderr
    )


async def test_an_unknown_engine_is_refused(run: Run) -> None:
    ended = await run("up", "--grpc-engine", "rust")
    assert ended.status == 2
    assert "--grpc-engine: input should be 'auto', 'grpcio' or 'native'" in ended.stderr


async def test_a_folder_too_long_for_a_socket_is_named_with_what_to_do(
    start: Start, tmp_path: Path
) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    listen = ("--listen", "127.0.0.1:0")
    node = await start("node", *listen, "--grpc-engine", "native", TMPDIR=str(folder))
    ended = await node.end()
    assert ended.status == 1
    assert ended.stderr.startswith(f"gaocache: {folder}/gaocache-")
    assert ended.stderr.endswith(" is too long for a socket; set TMPDIR to a shorter folder\n")
    assert list(folder.iterdir()) == []

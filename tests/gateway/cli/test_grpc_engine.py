"""What carries a node's calls, as chosen on the command line and in the config."""

from pathlib import Path

import pytest
from processes import Run, Start

from cache_core import Client

CONFIG = """
[node]
grpc_engine = "grpcio"

[groups.g.source]
kind = "python"
target = "echo:get"
"""


@pytest.mark.parametrize(("asked", "taken"), [("auto", "native"), ("grpcio", "grpcio")])
async def test_which_engine_was_taken_is_logged(start: Start, asked: str, taken: str) -> None:
    options = ("--listen", "127.0.0.1:0", "--grpc-engine", asked, "--log-level", "info")
    node = await start("node", *options)
    address = await node.until(r"node (\S+) serves scores")
    ended = await node.stop()
    assert f" INFO node {address} serves by the {taken} engine\n" in ended.stderr


@pytest.mark.parametrize(
    ("options", "taken"), [((), "grpcio"), (("--grpc-engine", "native"), "native")]
)
async def test_the_configs_engine_serves_unless_an_option_names_another(
    start: Start, tmp_path: Path, options: tuple[str, ...], taken: str
) -> None:
    (tmp_path / "echo.py").write_text("def get(key):\n    return key.encode()\n")
    (tmp_path / "gaocache.toml").write_text(CONFIG)
    config = ("--config", str(tmp_path / "gaocache.toml"), "--listen", "127.0.0.1:0")
    node = await start("node", *config, *options, "--log-level", "info")
    address = await node.until(r"node (\S+) serves g")
    async with Client(address, timeout=10) as client:
        assert (await client.get("g", "k")).data == b"k"
    ended = await node.stop()
    assert ended.status == 0
    assert f" serves by the {taken} engine\n" in ended.stderr


async def test_an_unknown_engine_is_refused(run: Run) -> None:
    ended = await run("up", "--grpc-engine", "rust")
    assert ended.status == 2
    assert "--grpc-engine: input should be 'auto', 'grpcio' or 'native'" in ended.stderr

"""The page on running the gateway tells the truth; its nginx is tried in tests/system/proxies."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from documents import blocks, document, rows, section
from processes import Serving, spawn
from running_up import BIN
from typer.core import TyperGroup

from cache_core.config import load
from gateway.cli.command import make_app

PAGE = document("gateway/README.md")


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1, 2, 3])
async def test_each_command_serves_and_ends_well(tmp_path: Path, number: int) -> None:
    commands = blocks(PAGE, "sh")
    assert len(commands) == 4
    (config,) = blocks(PAGE, "toml")
    (tmp_path / "gaocache.toml").write_text(config)
    program, *arguments = shlex.split(commands[number])
    assert program == "gaocache"
    arguments = [
        word.replace("gaocache.toml", str(tmp_path / "gaocache.toml")) for word in arguments
    ]
    quickly = ("--drain", "0", "--workers", "2") if "--config" in arguments else ()
    serving = Serving(
        await spawn([*arguments, "--listen", "127.0.0.1:0", *quickly], {"PATH": str(BIN)})
    )
    await serving.until(r"http://127\.0\.0\.1:\d+")
    assert (await serving.stop()).status == 0


def test_its_config_loads(tmp_path: Path) -> None:
    (config,) = blocks(PAGE, "toml")
    file = tmp_path / "gaocache.toml"
    file.write_text(config)
    table = load(file, environ={}, with_groups=False).gateway
    assert (table.workers, table.near_cache, table.drain) == (4, 64 * 2**20, 5)


@pytest.fixture(scope="module")
def commands() -> dict[str, set[str]]:
    """The options of each command."""
    group = typer.main.get_command(make_app(()))
    assert isinstance(group, TyperGroup)
    return {
        name: {option for param in command.params for option in param.opts + param.secondary_opts}
        for name, command in group.commands.items()
    }


def test_the_table_of_commands_names_every_command(commands: dict[str, set[str]]) -> None:
    assert set(re.findall(r"^\| `gaocache (\w+)", PAGE, flags=re.MULTILINE)) == set(commands)


def test_the_table_of_commands_names_options_that_there_are(commands: dict[str, set[str]]) -> None:
    for command, words in rows(section(PAGE, "The `gaocache` command"), "| | |"):
        name = command.strip("`").split()[1]
        options = set(re.findall(r"`(--[\w-]+)`", words))
        assert options - commands[name] == set()

"""The README tells the truth: its examples are run as they stand, but for ports and paths."""

import asyncio
import re
import shlex
import sys
from pathlib import Path

import pytest
from processes import GAOCACHE, Serving, spawn

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


async def output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    return stdout.decode()


class Up:
    """A running `gaocache up` on free ports, and the README's text with those."""

    def __init__(self, serving: Serving, gateway: str, node: str) -> None:
        self.serving = serving
        self._gateway = gateway
        self._node = node

    def at_its_ports(self, text: str) -> str:
        return text.replace("localhost:8000", self._gateway).replace("127.0.0.1:8080", self._node)


async def start_up(tmp_path: Path, *options: str) -> Up:
    environment = {"GAOCACHE_DATA_DIR": str(tmp_path / "data"), "PATH": str(BIN)}
    free_ports = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
    serving = Serving(await spawn(["up", *free_ports, *options], environment))
    gateway = await serving.until(r"gateway  http://(\S+)")
    return Up(serving, gateway, await serving.until(r"node     (\S+)"))


def test_it_opens_with_the_two_commands_and_the_first_curl() -> None:
    assert blocks("sh")[:2] == [
        "pip install . && gaocache up\n",
        "pip install '.[test]' && pytest\n",
    ]
    assert README.index("gaocache up") < README.index("$ curl") < README.index("pytest")


async def test_every_console_session_answers_what_it_shows(tmp_path: Path) -> None:
    up = await start_up(tmp_path)
    sessions = blocks("console")
    assert len(sessions) == 3
    for session in sessions:
        command, shown = up.at_its_ports(session).split("\n", 1)
        program, *arguments = shlex.split(command.removeprefix("$ "))
        path = str(BIN / program) if (BIN / program).exists() else program
        assert (await output(path, *arguments)).strip() == shown.strip()
    await up.serving.stop()


@pytest.mark.parametrize(
    ("number", "printed"),
    [(0, "630\n"), (1, "b'630'\nNotExist not exist\n"), (2, "b'144' b'27'\n")],
)
async def test_every_python_example_runs(tmp_path: Path, number: int, printed: str) -> None:
    examples = blocks("python")
    assert len(examples) == 3
    up = await start_up(tmp_path)
    assert await output(sys.executable, "-c", up.at_its_ports(examples[number])) == printed
    await up.serving.stop()


async def test_a_table_of_ones_own_is_served_with_the_readmes_config(tmp_path: Path) -> None:
    (config,) = blocks("toml")
    (tmp_path / "gaocache.toml").write_text(config)
    (make_table,) = (block for block in blocks("sh") if "world.db" in block)
    await output("sh", "-c", f"cd {tmp_path} && {make_table}")
    up = await start_up(tmp_path, "--config", str(tmp_path / "gaocache.toml"))
    (curl,) = re.findall(r"curl -s (\S+capitals\S+)", README)
    answer = await output("curl", "-s", up.at_its_ports(curl))
    assert answer == '{"group":"capitals","key":"Peru","value":"Lima","encoding":"utf-8"}'
    await up.serving.stop()


async def test_the_command_table_names_every_command() -> None:
    listed = set(re.findall(r"^\| `gaocache (\w+)", README, flags=re.MULTILINE))
    shown = set(
        re.findall(r"^│ (\w+)  ", await output(str(GAOCACHE), "--help"), flags=re.MULTILINE)
    )
    assert listed == shown

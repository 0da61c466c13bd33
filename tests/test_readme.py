"""The README tells the truth: its examples are run as they stand, but for ports and paths."""

import argparse
import asyncio
import contextlib
import json
import re
import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
from processes import GAOCACHE, Serving, spawn

from cache_core import GroupSettings

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

    def __init__(self, gateway: str, node: str) -> None:
        self._gateway = gateway
        self._node = node

    def at_its_ports(self, text: str) -> str:
        return text.replace("localhost:8000", self._gateway).replace("127.0.0.1:8080", self._node)


StartUp: TypeAlias = Callable[..., Awaitable[Up]]


@pytest.fixture
async def start_up(tmp_path: Path) -> AsyncIterator[StartUp]:
    """Start `gaocache up` with options; it is stopped after the test."""
    environment = {"GAOCACHE_DATA_DIR": str(tmp_path / "data"), "PATH": str(BIN)}
    free_ports = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
    async with contextlib.AsyncExitStack() as started:

        async def start(*options: str) -> Up:
            serving = Serving(await spawn(["up", *free_ports, *options], environment))
            started.push_async_callback(serving.stop)
            gateway = await serving.until(r"gateway  http://(\S+)")
            return Up(gateway, await serving.until(r"node     (\S+)"))

        yield start


async def answer(command: str) -> str:
    """Return what the `curl` command prints, for which no curl needs to be there."""
    arguments = shlex.split(command)
    assert arguments[0] == "curl"
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", action="store_true", required=True)
    parser.add_argument("-G", action="store_true")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-X", default=None)
    parser.add_argument("-w", choices=["%{http_code}"])
    parser.add_argument("--json", default=None)
    parser.add_argument("--data-urlencode", action="append", default=[])
    parser.add_argument("url")
    asked = parser.parse_args(arguments[1:])
    assert bool(asked.data_urlencode) == asked.G
    query = dict(field.split("=", 1) for field in asked.data_urlencode)
    method = asked.X or ("GET" if asked.json is None else "POST")
    headers = [tuple(header.split(": ", 1)) for header in asked.H]
    if asked.json is not None:
        headers.append(("Content-Type", "application/json"))
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.request(
            method, f"http://{asked.url}", params=query, content=asked.json, headers=headers
        )
    return response.text + (str(response.status_code) if asked.w else "")


def test_it_opens_with_the_two_commands_and_the_first_curl() -> None:
    assert blocks("sh")[:2] == [
        "pip install . && gaocache up\n",
        "pip install '.[test]' && pytest\n",
    ]
    assert README.index("gaocache up") < README.index("$ curl") < README.index("pytest")


async def test_every_console_session_answers_what_it_shows(start_up: StartUp) -> None:
    up = await start_up()
    sessions = blocks("console")
    assert len(sessions) == 6
    for session in sessions:
        command, shown = up.at_its_ports(session).removeprefix("$ ").split("\n", 1)
        if command.startswith("curl "):
            printed = await answer(command)
        else:
            program, *arguments = shlex.split(command)
            printed = await output(str(BIN / program), *arguments)
        assert printed.strip() == shown.strip()


async def test_the_curl_that_asks_for_any_key_asks_for_it(start_up: StartUp) -> None:
    (curl,) = re.findall(r"`(curl -sG [^`]+)`", README)
    problem = json.loads(await answer((await start_up()).at_its_ports(curl)))
    assert problem["detail"] == ".. not exist"


async def test_the_curls_with_a_timeout_are_answered_in_time(start_up: StartUp) -> None:
    up = await start_up()
    curls = re.findall(r"^curl -s -H .+$", README, flags=re.MULTILINE)
    assert len(curls) == 2
    for curl in curls:
        assert json.loads(await answer(up.at_its_ports(curl)))["value"] == "630"


@pytest.mark.parametrize(
    ("number", "printed"),
    [(0, "630\n"), (1, "b'630'\nNotExist not exist\n"), (2, "b'144' b'27'\n")],
)
async def test_every_python_example_runs(start_up: StartUp, number: int, printed: str) -> None:
    examples = blocks("python")
    assert len(examples) == 3
    up = await start_up()
    assert await output(sys.executable, "-c", up.at_its_ports(examples[number])) == printed


async def test_a_table_of_ones_own_is_served_with_the_readmes_config(
    start_up: StartUp, tmp_path: Path
) -> None:
    (config,) = blocks("toml")
    (tmp_path / "gaocache.toml").write_text(config)
    (make_table,) = (block for block in blocks("sh") if "world.db" in block)
    await output("sh", "-c", f"cd {tmp_path} && {make_table}")
    up = await start_up("--config", str(tmp_path / "gaocache.toml"))
    (curl,) = re.findall(r"^curl -s \S+capitals\S+$", README, flags=re.MULTILINE)
    assert await answer(up.at_its_ports(curl)) == (
        '{"group":"capitals","key":"Peru","value":"Lima","encoding":"utf-8"}'
    )


async def test_the_command_table_names_every_command() -> None:
    listed = set(re.findall(r"^\| `gaocache (\w+)", README, flags=re.MULTILINE))
    shown = set(
        re.findall(r"^│ (\w+)  ", await output(str(GAOCACHE), "--help"), flags=re.MULTILINE)
    )
    assert listed == shown


def test_the_table_of_settings_names_every_setting_and_its_default() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \|", README[README.index("## A group's sett") :], re.MULTILINE
    )
    assert [name for name, _ in rows[: len(GroupSettings.model_fields)]] == list(
        GroupSettings.model_fields
    )
    for name, default in rows[: len(GroupSettings.model_fields)]:
        if default.startswith("`"):
            given = GroupSettings.model_validate({name: json.loads(default.strip("`"))})
            assert getattr(given, name) == getattr(GroupSettings(), name)

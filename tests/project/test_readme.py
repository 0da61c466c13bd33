"""The README tells the truth: its examples are run as they stand, but for ports and paths."""

import argparse
import asyncio
import contextlib
import json
import re
import shlex
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from processes import GAOCACHE, Serving, spawn

from cache_core import GroupSettings
from cache_core.config import ConfigError, GatewayTable, NamedLayer, NodeTable, load

ROOT = Path(__file__).parents[2]
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


@contextlib.asynccontextmanager
async def running_up(folder: Path, *options: str) -> AsyncIterator[Up]:
    """Start `gaocache up` with options, its data in the folder; stop it in the end."""
    environment = {"GAOCACHE_DATA_DIR": str(folder / "data"), "PATH": str(BIN)}
    free_ports = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
    serving = Serving(await spawn(["up", *free_ports, *options], environment))
    try:
        gateway = await serving.until(r"gateway  http://(\S+)")
        yield Up(gateway, await serving.until(r"node     (\S+)"))
    finally:
        await serving.stop()


with_one_up = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """A `gaocache up` with its demo, for all tests that are `with_one_up`."""
    async with running_up(tmp_path_factory.mktemp("up")) as running:
        yield running


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
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
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


@with_one_up
async def test_every_console_session_answers_what_it_shows(up: Up) -> None:
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


@with_one_up
async def test_the_curl_that_asks_for_any_key_asks_for_it(up: Up) -> None:
    (curl,) = re.findall(r"`(curl -sG [^`]+)`", README)
    problem = json.loads(await answer(up.at_its_ports(curl)))
    assert problem["detail"] == ".. not exist"


@with_one_up
async def test_the_curls_with_a_timeout_are_answered_in_time(up: Up) -> None:
    curls = re.findall(r"^curl -s -H .+$", README, flags=re.MULTILINE)
    assert len(curls) == 2
    for curl in curls:
        assert json.loads(await answer(up.at_its_ports(curl)))["value"] == "630"


@with_one_up
@pytest.mark.parametrize(
    ("number", "printed"),
    [(0, "630\n"), (1, "b'630'\nNotExist not exist\n"), (2, "b'144' b'27'\n")],
)
async def test_every_python_example_runs(up: Up, number: int, printed: str) -> None:
    examples = blocks("python")
    assert len(examples) == 3
    assert await output(sys.executable, "-c", up.at_its_ports(examples[number])) == printed


@pytest.mark.slow
async def test_a_table_of_ones_own_is_served_with_the_readmes_configs(tmp_path: Path) -> None:
    (config,) = (block for block in blocks("toml") if "world.db" in block)
    (make_table,) = (block for block in blocks("sh") if "CREATE TABLE" in block)
    await output("sh", "-c", f"cd {tmp_path} && {make_table}")
    (make_config,) = re.findall(r"^gaocache init \S+$", README, flags=re.MULTILINE)
    await output("sh", "-c", f"cd {tmp_path} && {BIN}/{make_config}")
    (curl,) = re.findall(r"^curl -s \S+countries\S+$", README, flags=re.MULTILINE)
    async with running_up(tmp_path, "--config", str(tmp_path / "gaocache.toml")) as up:
        row = json.loads(await answer(up.at_its_ports(curl)))["value"]
    assert row == {"name": "Peru", "capital": "Lima"}
    (tmp_path / "gaocache.toml").write_text(config)
    curl = curl.replace("countries", "capitals")
    async with running_up(tmp_path, "--config", str(tmp_path / "gaocache.toml")) as up:
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


@pytest.mark.parametrize(("title", "table"), [("node", NodeTable), ("gateway", GatewayTable)])
def test_the_tables_of_the_config_are_those_of_the_program(
    title: str, table: type[NodeTable | GatewayTable]
) -> None:
    _, _, rest = README.partition(f"| `[{title}]` | default |")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", rest.split("\n\n")[0], re.MULTILINE)
    fields = table.model_fields
    assert [(key, words) for key, _, words in rows] == [
        (key, field.description) for key, field in fields.items()
    ]
    for key, default, _ in rows:
        given = {} if default == "none" else {key: json.loads(default.strip("`"))}
        assert getattr(table.model_validate(given), key) == fields[key].get_default()


@pytest.mark.slow
@pytest.mark.usefixtures("scores_db")
async def test_the_whole_config_is_served_and_checked_as_it_stands(tmp_path: Path) -> None:
    (config,) = (block for block in blocks("toml") if "[gateway]" in block)
    for port in ("8000", "8080", "8081"):
        with socket.create_server(("127.0.0.1", 0)) as sock:
            config = config.replace(f":{port}", f":{sock.getsockname()[1]}")
    file = tmp_path / "gaocache.toml"
    file.write_text(config)
    environment = {"PATH": str(BIN)}
    checked = await output(str(GAOCACHE), "check", str(file))
    assert checked.splitlines()[1].split() == ["scores", "sql", "ok"]
    up = Serving(await spawn(["up", "--config", str(file)], environment))
    try:
        gateway = await up.until(r"gateway  http://(\S+)")
        await up.until(r"/docs\n")
        got = await answer(f"curl -s {gateway}/groups/scores/keys/Tom")
        assert json.loads(got)["value"] == "630"
        assert up.said.count("  node     ") == 2
    finally:
        await up.stop()


def test_the_mistakes_that_the_readme_shows_are_said_in_these_words(tmp_path: Path) -> None:
    (shown,) = (block for block in blocks("text") if "gaocache.toml:" in block)
    (config,) = (block for block in blocks("toml") if "[gateway]" in block)
    file = tmp_path / "gaocache.toml"
    file.write_text(config.replace('"60s"', '"soon"'))
    drain = NamedLayer({"node": {"drain": "soon"}}, {("node", "drain"): "--drain"})
    with pytest.raises(ConfigError) as caught:
        load(file, environ={"GAOCACHE_NODE_WEIGHT": "101"}, options=drain)
    said = str(caught.value).replace(f"{tmp_path}/", "").splitlines()
    assert sorted(said) == sorted(shown.splitlines())

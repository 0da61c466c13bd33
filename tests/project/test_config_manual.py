"""The page on the config tells the truth: its file is served, its tables are the program's."""

import json
import re
import shlex
import socket
import tomllib
from pathlib import Path

import pytest
from curl import curl
from documents import ROOT, blocks, document, rows
from processes import GAOCACHE, Serving, spawn
from running_up import BIN, output

from cache_core import GroupSettings
from cache_core.config import ConfigError, GatewayTable, NamedLayer, NodeTable, load

PAGE = document("cache_core/config/README.md")
(CONFIG,) = blocks(PAGE, "toml")


@pytest.mark.slow
@pytest.mark.usefixtures("scores_db")
async def test_the_file_is_checked_and_served_as_it_stands(tmp_path: Path) -> None:
    config = CONFIG
    for port in ("8000", "8080", "8081"):
        with socket.create_server(("127.0.0.1", 0)) as sock:
            config = config.replace(f":{port}", f":{sock.getsockname()[1]}")
    (tmp_path / "gaocache.toml").write_text(config)
    (session,) = blocks(PAGE, "console")
    command, shown = session.removeprefix("$ ").split("\n", 1)
    check, serve = next(block for block in blocks(PAGE, "sh") if "check" in block).splitlines()
    assert check == command
    program = str(GAOCACHE)
    printed = await output(program, *shlex.split(check)[1:], folder=tmp_path)
    assert [line.split() for line in printed.splitlines()] == [
        line.split() for line in shown.splitlines()
    ]
    arguments = [
        word.replace("gaocache.toml", str(tmp_path / "gaocache.toml"))
        for word in shlex.split(serve)
    ]
    up = Serving(await spawn(arguments[1:], {"PATH": str(BIN)}))
    try:
        gateway = await up.until(r"gateway  http://(\S+)")
        await up.until(r"/docs\n")
        got = await curl(f"curl -s {gateway}/groups/scores/keys/Tom")
        assert json.loads(got)["value"] == "630"
        assert up.said.count("  node     ") == 2
    finally:
        await up.stop()


def test_the_mistakes_that_it_shows_are_said_in_these_words(tmp_path: Path) -> None:
    (shown,) = (block for block in blocks(PAGE, "text") if "gaocache.toml:" in block)
    file = tmp_path / "gaocache.toml"
    file.write_text(CONFIG.replace('"60s"', '"soon"'))
    drain = NamedLayer({"node": {"drain": "soon"}}, {("node", "drain"): "--drain"})
    with pytest.raises(ConfigError) as caught:
        load(file, environ={"GAOCACHE_NODE_WEIGHT": "101"}, options=drain)
    said = str(caught.value).replace(f"{tmp_path}/", "").splitlines()
    assert sorted(said) == sorted(shown.splitlines())


def test_the_table_of_a_groups_settings_names_each_with_its_default() -> None:
    shown = rows(PAGE, "| setting | default |")
    assert [row[0].strip("`") for row in shown] == list(GroupSettings.model_fields)
    for name, default, _ in shown:
        if default.startswith("`"):
            key = name.strip("`")
            given = GroupSettings.model_validate({key: json.loads(default.strip("`"))})
            assert getattr(given, key) == getattr(GroupSettings(), key)


@pytest.mark.parametrize(("title", "table"), [("node", NodeTable), ("gateway", GatewayTable)])
def test_the_tables_of_node_and_gateway_are_the_programs(
    title: str, table: type[NodeTable | GatewayTable]
) -> None:
    shown = rows(PAGE, f"| `[{title}]` | default |")
    fields = table.model_fields
    assert [(key.strip("`"), words) for key, _, words in shown] == [
        (key, field.description) for key, field in fields.items()
    ]
    for cell, default, _ in shown:
        key = cell.strip("`")
        given = {} if default == "none" else {key: json.loads(default.strip("`"))}
        assert getattr(table.model_validate(given), key) == fields[key].get_default()


def test_the_variables_that_it_names_are_read(tmp_path: Path) -> None:
    file = tmp_path / "gaocache.toml"
    file.write_text(CONFIG)
    values = {
        "WEIGHT": "7",
        "TIMEOUT": "9",
        "PEERS": "127.0.0.1:1",
        "ORIGINS": "https://a.b",
        "TTL": "70s",
        "URL": "sqlite:///x.db",
    }
    named = sorted(set(re.findall(r"\b(GAOCACHE_[A-Z_]+[A-Z])\b", PAGE)) - {"GAOCACHE_DATA_DIR"})
    assert len(named) == 8
    for name in named:
        (value,) = (value for end, value in values.items() if name.endswith(end))
        changed = load(file, environ={name: value})
        assert changed != load(file, environ={}), name


def test_the_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {row[0].strip("`") for row in rows(PAGE, "| extra | what it is for |")}
    assert named == set(project["optional-dependencies"])

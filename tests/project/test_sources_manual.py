"""The page on sources tells the truth: each kind's part is tried in tests/core/sources."""

import re
from pathlib import Path

import pytest
from curl import curl
from documents import blocks, document, rows, section
from running_up import BIN, output, running_up
from sources.documents import served

from cache_core.sources.python.settings import PythonSource
from cache_core.sources.sql.settings import SqlSource
from cache_core.sources.valkey.settings import ValkeySource

PAGE = document("cache_core/sources/README.md")
FROM_A_DATABASE = section(PAGE, "A config from a database: `gaocache init`")


@pytest.mark.slow
async def test_a_database_is_served_by_the_commands_that_it_gives(tmp_path: Path) -> None:
    make, commands, ask, *_ = blocks(FROM_A_DATABASE, "sh")
    (shown,) = blocks(FROM_A_DATABASE, "json")
    await output("sh", "-c", make, folder=tmp_path)
    init, serve = commands.splitlines()
    assert serve == "gaocache up --config gaocache.toml"
    await output("sh", "-c", f"{BIN}/{init}", folder=tmp_path)
    async with running_up(tmp_path, "--config", str(tmp_path / "gaocache.toml")) as up:
        assert (await curl(up.at_its_ports(ask.strip()))).strip() == shown.strip()


async def test_a_query_of_ones_own_is_a_group(tmp_path: Path) -> None:
    make, *_ = blocks(FROM_A_DATABASE, "sh")
    (config,) = blocks(FROM_A_DATABASE, "toml")
    await output("sh", "-c", make, folder=tmp_path)
    async with served(config, tmp_path) as group:
        assert (await group.get("Peru")).data == b"Lima"


@pytest.mark.parametrize(
    ("kind", "table"), [("sql", SqlSource), ("valkey", ValkeySource), ("python", PythonSource)]
)
def test_the_table_of_a_kind_names_every_setting(
    kind: str, table: type[SqlSource | ValkeySource | PythonSource]
) -> None:
    shown = rows(section(PAGE, kind), "| setting | default |")
    named = re.findall(r"`(\w+)`", " ".join(row[0] for row in shown))
    assert set(named) == set(table.model_fields) - {"kind"}


def test_every_kind_has_a_section() -> None:
    kinds = {row[1] for row in rows(PAGE, "| what you have | kind |")}
    named = {name for kind in kinds for name in re.findall(r"\[`(\w+)`\]\(#\1\)", kind)}
    assert named == {"sql", "http", "files", "valkey", "python"}
    assert all(section(PAGE, name) for name in named)

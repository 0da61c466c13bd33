"""The page on sources tells the truth: each kind's part is tried in tests/core/sources."""

import json
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
README = document("README.md")


async def make_world(folder: Path) -> None:
    """Make the database that the README and this page speak of."""
    (make,) = (block for block in blocks(README, "sh") if "CREATE TABLE" in block)
    await output("sh", "-c", make, folder=folder)


@pytest.mark.slow
async def test_a_database_is_served_by_the_commands_that_it_gives(tmp_path: Path) -> None:
    await make_world(tmp_path)
    (commands,) = blocks(section(PAGE, "A config from a database"), "sh")
    init, _ = commands.splitlines()
    await output("sh", "-c", f"{BIN}/{init}", folder=tmp_path)
    async with running_up(tmp_path, "--config", str(tmp_path / "gaocache.toml")) as up:
        got = await curl(f"curl -s {up.gateway}/groups/countries/keys/Peru")
    assert json.loads(got)["value"] == {"name": "Peru", "capital": "Lima"}


async def test_a_query_of_ones_own_is_a_group(tmp_path: Path) -> None:
    await make_world(tmp_path)
    (config,) = blocks(section(PAGE, "A config from a database"), "toml")
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
    kinds = {row[1] for row in rows(PAGE, "| you have | `kind` |")}
    for kind in kinds:
        name, anchor = re.findall(r"\[`(\w+)`\]\(#(\w+)\)", kind)[0]
        assert name == anchor
        assert section(PAGE, name)

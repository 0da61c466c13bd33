"""Which variable means which setting, and which mean none."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cache_core.config import ConfigError, load

GROUP = """
[groups.Scores.source]
kind = "sql"
url = "sqlite:///scores.db"
query = "SELECT score FROM scores WHERE name = :key"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gaocache.toml"
    path.write_text(GROUP)
    return path


def refused(file: Path, environ: Mapping[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, environ=environ)
    return str(caught.value).splitlines()


def test_several_variables_of_one_group_count_together(file: Path) -> None:
    environ = {
        "GAOCACHE_GROUPS__SCORES__CAPACITY": "1MiB",
        "GAOCACHE_GROUPS__SCORES__JITTER": "0",
        "GAOCACHE_GROUPS__SCORES__SOURCE__QUERY": "SELECT 1 FROM scores WHERE name = :key",
        "GAOCACHE_GROUPS__SCORES__SOURCE__URL": "sqlite:///other.db",
        "GAOCACHE_GROUPS__SCORES__TTL": "90",
    }
    group = load(file, environ=environ).groups["Scores"]
    assert (group.capacity, group.jitter, group.ttl) == (2**20, 0, 90)
    source = str(group.source.model_dump())
    assert "SELECT 1 FROM" in source
    assert "other.db" in source


def test_a_group_may_be_of_variables_alone_and_is_of_lower_case(file: Path) -> None:
    environ = {
        "GAOCACHE_GROUPS__NEW__SOURCE__KIND": "python",
        "GAOCACHE_GROUPS__NEW__SOURCE__TARGET": "here:There",
    }
    assert list(load(file, environ=environ).groups) == ["Scores", "new"]


def test_a_variable_within_a_table_counts_more_than_one_for_the_whole_table(file: Path) -> None:
    environ = {
        "GAOCACHE_GROUPS__SCORES__SOURCE": "sqlite",
        "GAOCACHE_GROUPS__SCORES__SOURCE__URL": "sqlite:///other.db",
    }
    assert "other.db" in str(load(file, environ=environ).groups["Scores"].source.model_dump())


@pytest.mark.parametrize(
    "name", ["GAOCACHE_GROUPS__SCORES", "GAOCACHE_GROUPS__SCORES__", "GAOCACHE_GROUPS__"]
)
def test_a_variable_that_names_no_setting_of_a_group_says_nothing(file: Path, name: str) -> None:
    assert load(file, environ={name: "tcp://10.0.0.1:80"}).groups == load(file, environ={}).groups


def test_the_clusters_variable_is_also_the_gateways_unless_it_is_told_its_node(file: Path) -> None:
    settings = load(file, environ={"GAOCACHE_PEERS": "b:1"})
    for peers in (settings.node.peers, settings.gateway.peers):
        assert peers is not None
        assert peers.get_secret_value() == "b:1"
    settings = load(file, environ={"GAOCACHE_PEERS": "b:1", "GAOCACHE_GATEWAY_NODE": "d:1"})
    assert settings.node.peers is not None
    assert (settings.gateway.node, settings.gateway.peers) == (("d", 1), None)


def test_a_gateway_that_is_told_its_node_and_its_peers_by_their_names_is_refused(
    file: Path,
) -> None:
    environ = {
        "GAOCACHE_PEERS": "b:1",
        "GAOCACHE_GATEWAY_PEERS": "c:1",
        "GAOCACHE_GATEWAY_NODE": "d:1",
    }
    (line,) = refused(file, environ)
    assert line == "GAOCACHE_GATEWAY_NODE: node and peers exclude each other, give one"


def test_a_variable_of_another_group_is_not_named_for_what_a_group_lacks(file: Path) -> None:
    environ = {"GAOCACHE_GROUPS__NEW__TTL": "5", "GAOCACHE_GROUPS__SCORES__TTL": "6"}
    assert refused(file, environ) == ["GAOCACHE_GROUPS__NEW__TTL: groups.new.source: it is missing"]


def test_what_is_missing_without_a_file_is_not_told_at_a_variable_of_something_else() -> None:
    settings = load(None, environ={"GAOCACHE_TIMEOUT": "3"})
    words = "it is needed here"
    assert str(settings.problem(("node", "peers"), words)) == f"node.peers: {words}"
    assert str(settings.problem(("gateway", "timeout"), words)) == f"GAOCACHE_TIMEOUT: {words}"
    assert str(settings.problem(("gateway", "node"), words)) == (
        f"GAOCACHE_TIMEOUT: gateway.node: {words}"
    )

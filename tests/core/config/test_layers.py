"""Defaults, then the file, then the environment, then options: which counts, and who is named."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cache_core.config import ConfigError, GatewayTable, NamedLayer, NodeTable, Settings, load
from cache_core.config.tables import DEFAULT_GATEWAY
from cache_core.node.node import DEFAULT_DRAIN, DEFAULT_GRACE
from cache_core.rpc.engine import DEFAULT_BOUNDS
from gateway.http.limits import Limits

GROUPS = """
[groups.Scores]
ttl = "60s"
[groups.Scores.source]
kind = "sql"
url = "sqlite:///scores.db"
query = "SELECT score FROM scores WHERE name = :key"
"""

VALUES: list[tuple[str, str, tuple[str, str, str], tuple[object, object, object]]] = [
    ("node", "listen", ("a:1", "b:2", "c:3"), (("a", 1), ("b", 2), ("c", 3))),
    ("node", "advertise", ("a:1", "b:2", "c:3"), (("a", 1), ("b", 2), ("c", 3))),
    ("node", "weight", ("2", "3", "4"), (2, 3, 4)),
    ("node", "drain", ("2m", "3", "4s"), (120, 3, 4)),
    ("node", "grace", ("0", "3.5", "500ms"), (0, 3.5, 0.5)),
    ("node", "grpc_engine", ("native", "auto", "grpcio"), ("native", "auto", "grpcio")),
    ("node", "connection_memory", ("5MiB", "9MiB", "5242881"), (5242880, 9437184, 5242881)),
    (
        "node",
        "total_connection_memory",
        ("1GiB", "32MiB", "33554433"),
        (1073741824, 33554432, 33554433),
    ),
    ("node", "max_connections", ("16", "200", "1000"), (16, 200, 1000)),
    ("node", "log_level", ("debug", "info", "error"), ("debug", "info", "error")),
    ("gateway", "listen", ("a:1", "b:2", "[::1]:3"), (("a", 1), ("b", 2), ("::1", 3))),
    ("gateway", "node", ("a:1", "b:2", "c:3"), (("a", 1), ("b", 2), ("c", 3))),
    ("gateway", "timeout", ("1", "3", "4"), (1, 3, 4)),
    ("gateway", "max_timeout", ("60", "2m", "4s"), (60, 120, 4)),
    ("gateway", "receive_timeout", ("60", "2m", "4s"), (60, 120, 4)),
    ("gateway", "keep_alive", ("60", "2m", "4s"), (60, 120, 4)),
    ("gateway", "send_timeout", ("60", "2m", "4s"), (60, 120, 4)),
    ("gateway", "max_connections", ("16", "200", "1000"), (16, 200, 1000)),
    (
        "gateway",
        "total_connection_memory",
        ("1GiB", "32MiB", "33554433"),
        (1073741824, 33554432, 33554433),
    ),
    ("gateway", "cors_removal", ("true", "false", "true"), (True, False, True)),
    ("gateway", "hosts", ("*", "a b.example", ""), (("*",), ("a", "b.example"), ())),
    ("gateway", "header_bytes", ("2KiB", "3000", "1MiB"), (2048, 3000, 1048576)),
    (
        "gateway",
        "cors_origins",
        ("*", "http://a http://b", ""),
        (("*",), ("http://a", "http://b"), ()),
    ),
    ("gateway", "workers", ("1", "3", "4"), (1, 3, 4)),
    ("gateway", "fast_lane", ("false", "true", "false"), (False, True, False)),
    ("gateway", "near_cache", ("1KiB", "0", "1MiB"), (1024, 0, 1024**2)),
    ("gateway", "drain", ("1", "3", "4"), (1, 3, 4)),
    ("gateway", "grace", ("1", "3", "4"), (1, 3, 4)),
    ("gateway", "log_level", ("debug", "info", "error"), ("debug", "info", "error")),
]

WAITS = ("timeout", "max_timeout", "receive_timeout", "keep_alive", "send_timeout")
OR = "(or name:port, or [IPv6]:port, the port at most 65535)"


def write(folder: Path, text: str) -> Path:
    file = folder / "gaocache.toml"
    file.write_text(text + GROUPS)
    return file


def option(title: str, key: str, value: object) -> NamedLayer:
    return NamedLayer({title: {key: value}}, {(title, key): f"--{key}"}, are_options=True)


def refused(
    file: Path | None, environ: Mapping[str, str], options: NamedLayer | None = None
) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, environ=environ, options=options or NamedLayer({}, {}))
    return str(caught.value).splitlines()


@pytest.mark.parametrize(("title", "key", "given", "values"), VALUES)
def test_an_option_counts_more_than_a_variable_and_that_more_than_the_file(
    tmp_path: Path,
    title: str,
    key: str,
    given: tuple[str, str, str],
    values: tuple[object, object, object],
) -> None:
    in_file, in_environment, in_option = given
    file = write(tmp_path, f'[{title}]\n{key} = "{in_file}"\n')
    environ = {f"GAOCACHE_{title}_{key}".upper(): in_environment}
    options = option(title, key, in_option)
    for settings, value in (
        (load(file, environ={}), values[0]),
        (load(file, environ=environ), values[1]),
        (load(file, environ=environ, options=options), values[2]),
    ):
        assert getattr(getattr(settings, title), key) == value


@pytest.mark.parametrize("title", ["node", "gateway"])
def test_peers_are_layered_as_well_and_never_shown(tmp_path: Path, title: str) -> None:
    file = write(tmp_path, f'[{title}]\npeers = "static://a:1"\n')
    for environ, options, peers in (
        ({}, None, "static://a:1"),
        ({"GAOCACHE_PEERS": "b:1"}, None, "b:1"),
        ({"GAOCACHE_PEERS": "b:1", f"GAOCACHE_{title.upper()}_PEERS": "c:1"}, None, "c:1"),
        ({"GAOCACHE_PEERS": "b:1"}, option(title, "peers", "dns://d:1"), "dns://d:1"),
    ):
        settings = load(file, environ=environ, options=options or NamedLayer({}, {}))
        given = getattr(settings, title).peers
        assert given.get_secret_value() == peers
        assert peers not in repr(settings)


def test_every_key_is_tried_above() -> None:
    tried = {(title, key) for title, key, *_ in VALUES}
    keys = {("node", key) for key in NodeTable.model_fields}
    keys |= {("gateway", key) for key in GatewayTable.model_fields}
    assert keys - tried == {("node", "peers"), ("gateway", "peers")}


def test_the_defaults_are_those_of_nodes_and_gateways_in_python() -> None:
    settings = load(None, environ={})
    assert (settings.node, settings.gateway, settings.groups) == (NodeTable(), GatewayTable(), {})
    assert Settings().node == NodeTable()
    assert (settings.node.drain, settings.node.grace) == (DEFAULT_DRAIN, DEFAULT_GRACE)
    node = settings.node
    bounds = (node.connection_memory, node.total_connection_memory, node.max_connections)
    assert bounds == DEFAULT_BOUNDS
    assert str(settings.gateway.listen) == DEFAULT_GATEWAY
    for key in (*WAITS, "header_bytes", "max_connections"):
        assert getattr(settings.gateway, key) == getattr(Limits(), key)
    both = Limits().answer_memory + Limits().request_memory
    assert settings.gateway.total_connection_memory == both


def test_the_short_variables_of_the_gateway_are_weaker_than_the_long(tmp_path: Path) -> None:
    environ = {
        "GAOCACHE_TIMEOUT": "3",
        "GAOCACHE_MAX_TIMEOUT": "4",
        "GAOCACHE_CORS_ORIGINS": "https://a https://b",
    }
    table = load(write(tmp_path, ""), environ=environ).gateway
    assert (table.timeout, table.max_timeout) == (3, 4)
    assert table.cors_origins == ("https://a", "https://b")
    longer = {**environ, "GAOCACHE_GATEWAY_MAX_TIMEOUT": "5"}
    assert load(write(tmp_path, ""), environ=longer).gateway.max_timeout == 5


def test_an_empty_variable_and_those_of_others_say_nothing(tmp_path: Path) -> None:
    environ = {
        "GAOCACHE_NODE_WEIGHT": "",
        "GAOCACHE_NODE_PORT": "tcp://10.0.0.1:8080",
        "GAOCACHE_SERVICE_HOST": "10.0.0.1",
        "NODE_WEIGHT": "5",
        "NODE": "{}",
    }
    assert load(write(tmp_path, ""), environ=environ).node == NodeTable()


@pytest.mark.parametrize("name", ["GAOCACHE_GROUPS__SCORES__TTL", "GAOCACHE_GROUPS__Scores__ttl"])
def test_a_variable_sets_a_groups_setting_whatever_the_case_of_its_name(
    tmp_path: Path, name: str
) -> None:
    settings = load(write(tmp_path, ""), environ={name: "90"})
    assert settings.groups["Scores"].ttl == 90


def test_a_variable_reaches_the_source_and_groups_whose_names_have_two_underlines(
    tmp_path: Path,
) -> None:
    file = tmp_path / "gaocache.toml"
    file.write_text(GROUPS + GROUPS.replace("Scores", "Scores__old"))
    settings = load(
        file,
        environ={
            "GAOCACHE_GROUPS__SCORES__OLD__SOURCE__URL": "sqlite:///old.db",
            "GAOCACHE_GROUPS__SCORES__CLIENT_RELOAD": "true",
        },
    )
    urls = {
        name: "old.db" in str(group.source.model_dump()) for name, group in settings.groups.items()
    }
    assert urls == {"Scores": False, "Scores__old": True}
    assert settings.groups["Scores"].client_reload


def test_what_is_wrong_is_named_by_where_it_came_from(tmp_path: Path) -> None:
    file = write(tmp_path, '[node]\nweight = 0\ndrain = "x"\n\n[gateway]\nlisten = "80"\n')
    environ = {
        "GAOCACHE_NODE_DRAIN": "y",
        "GAOCACHE_NODE_GRACE": "z",
        "GAOCACHE_GROUPS__SCORES__TLL": "1",
        "GAOCACHE_GROUPS__NEW__TTL": "1",
    }
    lines = refused(file, environ, option("node", "grace", "w"))
    duration = 'it should be seconds or like "90s", "10m", "1h", "500ms"'
    assert lines == [
        f"GAOCACHE_NODE_DRAIN: {duration}",
        f"--grace: {duration}",
        "GAOCACHE_GROUPS__SCORES__TLL: unknown, did you mean ttl?",
        "GAOCACHE_GROUPS__NEW__TTL: groups.new.source: it is missing",
        f"{file}:2: node.weight: input should be greater than or equal to 1",
        f"{file}:6: gateway.listen: invalid addr 80, it should be x.x.x.x:port {OR}",
    ]


def test_settings_at_odds_are_named_by_the_one_that_counts_more(tmp_path: Path) -> None:
    file = write(tmp_path, "[gateway]\ntimeout = 20\n")
    words = "max_timeout should be at least timeout, 20"
    environ = {"GAOCACHE_MAX_TIMEOUT": "10"}
    assert refused(file, environ) == [f"GAOCACHE_MAX_TIMEOUT: {words}"]
    assert refused(file, {}, option("gateway", "max_timeout", 5)) == [f"--max_timeout: {words}"]
    only = write(tmp_path, "\n[gateway]\ntimeout = 40\n")
    assert refused(only, {}) == [
        f"{only}:3: gateway.timeout: max_timeout should be at least timeout, 40"
    ]


def test_whom_the_gateway_asks_is_one_choice_which_the_strongest_makes(tmp_path: Path) -> None:
    file = write(tmp_path, '[gateway]\nnode = "a:1"\n')
    both = write(tmp_path, '[gateway]\nnode = "a:1"\npeers = "b:1"\n')
    assert load(file, environ={"GAOCACHE_PEERS": "b:1"}).gateway.node is None
    chosen = load(both, environ={}, options=option("gateway", "node", "c:1")).gateway
    assert (chosen.node, chosen.peers) == (("c", 1), None)
    environ = {"GAOCACHE_PEERS": "b:1", "GAOCACHE_GATEWAY_NODE": "d:1"}
    assert load(both, environ=environ).gateway.node == ("d", 1)
    assert refused(both, {}) == [
        f"{both}:2: gateway.node: node and peers exclude each other, give one"
    ]


def test_a_gateway_needs_none_of_what_the_groups_need(tmp_path: Path) -> None:
    file = tmp_path / "gaocache.toml"
    file.write_text('[gateway]\ntimeout = 3\n[groups.x]\ntier = "${NOT_HERE}"\n')
    environ = {"GAOCACHE_GROUPS__X__TTL": "soon"}
    settings = load(file, environ=environ, with_groups=False)
    assert (settings.gateway.timeout, settings.groups) == (3, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[nodes]\n", "1: nodes: unknown, did you mean node?"),
        ("[node]\nlissten = 1\n", "2: node.lissten: unknown, did you mean listen?"),
        ("node = 5\n", "1: node: it should be a table"),
        ("[node]\nlisten = 8080\n", "2: node.listen: it should be HOST:PORT, like 127.0.0.1:8080"),
        ("[node]\nadvertise = 'a:0'\n", "2: node.advertise: a:0 has no port"),
        ("[node]\npeers = 'static://a'\n", "2: node.peers: 'a' is no host:port; right is, for"),
        ("[node]\npeers = 1\n", "2: node.peers: input should be a valid string"),
        ("[node]\nweight = true\n", "2: node.weight: it should be a number"),
        ("[node]\nlog_level = 'loud'\n", "2: node.log_level: input should be 'debug', 'info'"),
        (
            "[gateway]\nheader_bytes = 9\n",
            "2: gateway.header_bytes: it should be from 1KiB",
        ),
        (
            "[gateway]\ncors_origins = [\n'https://a',\n'b'\n]\n",
            "4: gateway.cors_origins.1: 'b' should be like https://app.example.com",
        ),
        ("[gateway]\ndrain = 90000\n", "2: gateway.drain: input should be less than or equal"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_its_line(
    tmp_path: Path, text: str, words: str
) -> None:
    file = write(tmp_path, text)
    (line,) = refused(file, {})
    assert line.startswith(f"{file}:{words}")


@pytest.mark.parametrize(
    "tier", ["http://a:1", "valkey://", "valkey", "redis://:hunter2@", "valkey://[hunter2"]
)
def test_a_tier_is_the_url_of_a_valkey_and_is_never_shown(tmp_path: Path, tier: str) -> None:
    file = write(tmp_path, "")
    file.write_text(GROUPS.replace("ttl =", f'tier = "{tier}"\nttl ='))
    (line,) = refused(file, {})
    assert (
        line.startswith(f"{file}:3: groups.Scores.tier: it ") or "; right is, for example," in line
    )
    assert "hunter2" not in line
    file.write_text(GROUPS.replace("ttl =", 'tier = "rediss://u:hunter2@a:1,b:2/0"\nttl ='))
    settings = load(file, environ={})
    assert "hunter2" not in repr(settings)
    assert settings.groups["Scores"].tier is not None

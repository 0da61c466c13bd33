"""The least and the most that each setting of a node and a gateway may be."""

from pathlib import Path

import pytest

from cache_core.config import ConfigError, load

GROUP = """
[groups.{}.source]
kind = "sql"
url = "sqlite:///scores.db"
query = "SELECT score FROM scores WHERE name = :key"
"""
WAITS = ("timeout", "max_timeout", "receive_timeout", "keep_alive", "send_timeout")
PAUSES = (("node", "drain"), ("node", "grace"), ("gateway", "drain"), ("gateway", "grace"))

BOUNDS: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
    *(("gateway", key, ("86400", "1d"), ("0", "0.0009", "86401", "1e300")) for key in WAITS),
    *((table, key, ("0", "1d"), ("86401", "1e300")) for table, key in PAUSES),
    ("gateway", "header_bytes", ("1024", "1MiB"), ("1023", "1048577", "1GiB")),
    ("gateway", "near_cache", ("0", str(2**60)), ("-1", str(2**60 + 1))),
    ("gateway", "max_connections", ("16", "1000000"), ("15", "0", "1000001")),
    ("gateway", "total_connection_memory", ("32MiB", str(2**60)), ("31MiB", "0", str(2**60 + 1))),
    (
        "gateway",
        "hosts",
        ("*", "a", "cache.example.com", "A_b-c.d. e"),
        ("a:80", "http://a", "a/b", "[::1]", "a..b", ".a", "*.a", "a,b"),
    ),
    ("gateway", "workers", ("1", "256"), ("0", "257")),
    ("node", "connection_memory", ("5242880", "64MiB"), ("5242879", "4MiB", "65MiB")),
    ("node", "total_connection_memory", ("32MiB", str(2**60)), ("31MiB", "0", str(2**60 + 1))),
    ("node", "max_connections", ("16", "1000000"), ("15", "0", "1000001")),
    ("node", "weight", ("1", "100"), ("0", "101")),
    (
        "gateway",
        "cors_origins",
        ("*", "https://a", "http://a.example.com:8443", "app+x://a https://b"),
        ("https://a/", "https://a/b", "HTTPS://a", "https://", "a.example.com", "https://a,b"),
    ),
    ("node", "advertise", ("a:1", "a:65535"), ("a:0", "a", "a:65536")),
]


def environ_of(table: str, key: str, text: str) -> dict[str, str]:
    # A timeout may be no longer than the longest.
    given = {"GAOCACHE_MAX_TIMEOUT": "1d", "GAOCACHE_TIMEOUT": "0.001"}
    return {**given, f"GAOCACHE_{table}_{key}".upper(): text}


@pytest.mark.parametrize(
    ("table", "key", "text"),
    [(table, key, text) for table, key, taken, _ in BOUNDS for text in taken],
)
def test_the_least_and_the_most_are_taken(table: str, key: str, text: str) -> None:
    load(None, environ=environ_of(table, key, text))


@pytest.mark.parametrize(
    ("table", "key", "text"),
    [(table, key, text) for table, key, _, refused in BOUNDS for text in refused],
)
def test_what_is_less_or_more_is_refused_by_its_name(table: str, key: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, environ=environ_of(table, key, text))
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"GAOCACHE_{table}_{key}".upper())


def test_a_timeout_may_be_as_long_as_the_longest_and_no_longer() -> None:
    both = {"GAOCACHE_TIMEOUT": "30", "GAOCACHE_MAX_TIMEOUT": "30"}
    assert load(None, environ=both).gateway.timeout == 30
    with pytest.raises(ConfigError, match="max_timeout should be at least timeout, 30"):
        load(None, environ={**both, "GAOCACHE_MAX_TIMEOUT": "29.9"})


def test_all_connections_may_hold_four_times_as_much_as_one_and_no_less() -> None:
    both = {
        "GAOCACHE_NODE_CONNECTION_MEMORY": "16MiB",
        "GAOCACHE_NODE_TOTAL_CONNECTION_MEMORY": "64MiB",
    }
    assert load(None, environ=both).node.total_connection_memory == 64 * 1024 * 1024
    words = "total_connection_memory should be at least 4 times connection_memory, 64.0MiB"
    with pytest.raises(ConfigError, match=words):
        load(None, environ={**both, "GAOCACHE_NODE_TOTAL_CONNECTION_MEMORY": "63MiB"})


@pytest.mark.parametrize("name", ["a", "a" * 128, "é" * 64])
def test_a_group_has_a_name_of_up_to_128_bytes(tmp_path: Path, name: str) -> None:
    file = tmp_path / "gaocache.toml"
    file.write_text(GROUP.format(f'"{name}"'))
    assert list(load(file, environ={}).groups) == [name]


@pytest.mark.parametrize("name", ["", "a" * 129, "é" * 65])
def test_a_group_of_a_longer_name_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "gaocache.toml"
    file.write_text(GROUP.format(f'"{name}"'))
    with pytest.raises(ConfigError, match="a group's name should have 1 to 128 bytes"):
        load(file, environ={})

"""No bytes as the file make anything but settings or lines that each have their place."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cache_core.config import ConfigError, load

GOOD = b"""\
[gateway]
listen = "127.0.0.1:8000"
timeout = "2s"
cors_origins = ["https://a", "*"]
[node]
listen = "127.0.0.1:8080"
peers = "static://127.0.0.1:8080,127.0.0.1:8081"
weight = 2
[groups.scores]
capacity = "64MiB"
ttl = "60s"
tier = "valkey://u:p@a:1"
[groups.scores.source]
kind = "sql"
url = "sqlite:///${NAME}.db"
query = "SELECT score FROM scores WHERE name = :key"
"""
PIECES = st.sampled_from(
    [
        *GOOD.splitlines(keepends=True),
        *(b'"', b"'''", b"[", b"]", b"{", b"}", b"[[", b"=", b".", b"${", b"$${", b"${A:-}", b"#"),
        *(b"inf", b"-1", b"true", b"1979-05-27", b"1e999", b"9" * 5000, b"\xff", b"\0", b"\r"),
        *(b"self", b"model_config", b"_layers", b"trees", b"node = 1\n", b"groups = []\n"),
        *(b"[node.listen]\n", b"[groups.scores.source.kind]\n", b"[groups.'[key]']\n"),
        *(b"kind = 'http'\n", b"kind = []\n", b"kind = {}\n", b"weight = nan\n"),
    ]
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """The good file with some of its bytes replaced by others."""
    start = draw(st.integers(0, len(GOOD)))
    end = draw(st.integers(start, min(len(GOOD), start + 40)))
    return GOOD[:start] + draw(st.binary(max_size=6) | PIECES) + GOOD[end:]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "gaocache.toml"


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.binary(max_size=200) | changed() | st.lists(PIECES, max_size=12).map(b"".join))
def test_any_bytes_are_settings_or_lines_with_places(file: Path, toml: bytes) -> None:
    file.write_bytes(toml)
    try:
        load(file, environ={"NAME": "scores"})
    except ConfigError as error:
        lines = str(error).splitlines()
        assert lines
        assert all(line.startswith(str(file)) and line.isprintable() for line in lines)


def test_the_file_that_is_changed_is_right(file: Path) -> None:
    file.write_bytes(GOOD)
    assert load(file, environ={"NAME": "scores"}).node.weight == 2

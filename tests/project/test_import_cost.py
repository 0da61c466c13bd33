"""Who imports a part pays for that part: what is dear is imported by those only who use it."""

import subprocess
import sys

import pytest

import cache_core

SERVERS = {"fastapi", "starlette", "uvicorn"}
COMMANDS = {"typer", "rich", "tomlkit"}
SOURCES = {"sqlalchemy", "httpx", "httpcore2", "obstore", "redis", "aiosqlite", "asyncpg"}
CONFIG = {"pydantic_settings", "tree_sitter"}
CALLS = {"grpc", "google.protobuf"}
MODELS = {"pydantic"}

SLOW = pytest.mark.slow


def imported_by(statement: str) -> set[str]:
    """Return the modules that a new interpreter has imported after `statement`."""
    code = f"{statement}\nimport sys; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    ("statement", "spared"),
    [
        (
            "import cache_core; cache_core.NotFound, cache_core.Value",
            {*SERVERS, *COMMANDS, *SOURCES, *CONFIG, *CALLS, *MODELS, "asyncio"},
        ),
        ("from cache_core import Client, Group, Node", {*SERVERS, *COMMANDS, *SOURCES, *CONFIG}),
        (
            "from gateway.cli.command import make_app; make_app(['up'])",
            {*SERVERS, *SOURCES, *CALLS, "rich", "tomlkit"},
        ),
        pytest.param("from cache_core import Client", {"cache_core.rpc.grpcio.server"}, marks=SLOW),
        pytest.param(
            "import gateway.server.serving",
            {*COMMANDS, *SOURCES, *CONFIG, "cache_core.rpc.grpcio.server"},
            marks=SLOW,
        ),
        pytest.param(
            "import gateway.cli.commands.node", {*SERVERS, *SOURCES, "rich", "tomlkit"}, marks=SLOW
        ),
        pytest.param(
            "import gateway.cli.commands.gateway",
            {*SERVERS, *SOURCES, "rich", "tomlkit", "cache_core.rpc.grpcio.server"},
            marks=SLOW,
        ),
    ],
)
def test_what_is_not_used_is_not_imported(statement: str, spared: set[str]) -> None:
    assert imported_by(statement) & spared == set()


def test_every_public_name_is_there_and_no_other() -> None:
    for name in cache_core.__all__:
        assert getattr(cache_core, name).__name__ == name
        assert name in dir(cache_core)
    with pytest.raises(AttributeError, match="module 'cache_core' has no attribute 'Nothing'"):
        getattr(cache_core, "Nothing")  # noqa: B009 - a type checker would refuse it

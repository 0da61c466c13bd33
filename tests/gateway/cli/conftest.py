import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import pytest
from clusters import cluster_of
from fakes import FakeSource
from processes import Ended, Run, Serving, Start, spawn

from cache_core import Node
from gateway.cli.command import make_app
from gateway.cli.command import run as run_command


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home and a data directory of the test's own."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("GAOCACHE_")},
        "GAOCACHE_DATA_DIR": str(tmp_path / "data"),
        "COLUMNS": "200",
    }


@pytest.fixture
def run(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    """Run a `gaocache` command to its end, in this process, for a new one takes half a second."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    async def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["gaocache", *arguments])
        capfdbinary.readouterr()
        status = await asyncio.to_thread(run_command, make_app(arguments))
        stdout, stderr = capfdbinary.readouterr()
        return Ended(status, stdout, stderr.decode())

    return run


@pytest.fixture
def free() -> str:
    """An address that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return f"127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
async def pair(source: FakeSource) -> AsyncIterator[list[Node]]:
    """Two nodes of one cluster that share the group `scores` over `source`."""
    async with cluster_of(2, source) as nodes:
        yield nodes


@pytest.fixture
async def start(environment: dict[str, str]) -> AsyncIterator[Start]:
    """Start a `gaocache` command that serves; it is ended after the test."""
    started: list[Serving] = []

    async def start(
        *arguments: str,
        stdin: int = asyncio.subprocess.DEVNULL,
        stdout: BinaryIO | None = None,
        **more: str,
    ) -> Serving:
        process = await spawn(arguments, {**environment, **more}, stdin=stdin, stdout=stdout)
        started.append(Serving(process))
        return started[-1]

    yield start
    for serving in started:
        await serving.stop(signal.SIGKILL)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a child run its first argument as a shell script: that starts sooner than Python."""
    program = tmp_path / "interpreter"
    program.write_text('#!/bin/sh\nshift 3\nscript=$1\nshift\neval "$script"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))

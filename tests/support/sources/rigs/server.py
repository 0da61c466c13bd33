"""A database server of the test process's own, which a test can kill, freeze and start again."""

import asyncio
import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest

START_SECONDS = 40.0
STARTS = 5
"""How often it is started: what it was before it was killed may hold its port for a moment."""


class DatabaseServer:
    """A server that `command` runs as `user` in the foreground, until the test process ends.

    `is_ready` tells that it answers at `port`, or raises one of `unready`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        user: str,
        port: int,
        is_ready: Callable[[int], Awaitable[object]],
        unready: tuple[type[Exception], ...],
    ) -> None:
        self._command = [*as_user(user), "--pdeathsig", "KILL", *command]
        self.port = port
        self._is_ready = is_ready
        self._unready: tuple[type[Exception], ...] = (OSError, *unready)
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, or let it go on, and wait until it answers."""
        for _ in range(STARTS):
            if self._process is None or self._process.poll() is not None:
                self._process = self._spawn()
            else:
                self._signal(signal.SIGCONT)
            if await self._starts():
                return
        raise AssertionError(f"{self._command} ended {STARTS} times")

    async def _starts(self) -> bool:
        """Wait until it answers; return False if it ends before that."""
        assert self._process is not None
        async with asyncio.timeout(START_SECONDS):
            while not await self._answers():
                if self._process.poll() is not None:
                    return False
                await asyncio.sleep(0.02)
        return True

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start it, to outlive the test's event loop."""
        process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        atexit.register(process.kill)
        return process

    def kill(self) -> None:
        """End it at once, with all its connections."""
        assert self._process is not None
        self._signal(signal.SIGKILL)
        self._process.wait()

    def freeze(self) -> None:
        """Stop all its processes where they stand."""
        self._signal(signal.SIGSTOP)

    async def _answers(self) -> bool:
        try:
            await self._is_ready(self.port)
        except self._unready:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        for pid in list(self._pids()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _pids(self) -> Iterator[int]:
        assert self._process is not None
        yield self._process.pid
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        yield from map(int, children.read_text().split())


def as_user(user: str) -> list[str]:
    """Return what to put before a command so that root runs it as `user`, as servers want it."""
    if os.getuid() != 0:
        return ["setpriv"]
    return ["setpriv", "--reuid", user, "--regid", user, "--init-groups"]


def folder_of(user: str) -> Path:
    """Make a folder of `user` for as long as the test process lives; pytest's is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix=f"gaocache-{user}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if os.getuid() == 0:
        shutil.chown(folder, user, user)
    return folder


def needed(program: str) -> str:
    """Return the program's path; skip where it is missing."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders = (os.environ["PATH"], "/usr/sbin", *map(str, debian))
    found = shutil.which(program, path=os.pathsep.join(folders))
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])

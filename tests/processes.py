"""`gaocache` commands as processes."""

import asyncio
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

GAOCACHE = Path(sys.executable).with_name("gaocache")


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    status: int
    stdout: bytes
    stderr: str


class Serving:
    """A `gaocache` command that goes on until it is told to stop."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def until(self, pattern: str) -> str:
        """Read its output until `pattern` matches; return the match's first group."""
        assert self.process.stdout is not None
        while not (match := re.search(pattern, self.said)):
            line = await self.process.stdout.readline()
            assert line, f"ended with {await self.process.wait()} after: {self.said}"
            self.said += line.decode()
        return match[1] if match.groups() else match[0]

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Send it a signal, unless it has ended, and wait until it has."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.end()

    async def end(self) -> Ended:
        """Wait until it has ended by itself."""
        stdout, stderr = await self.process.communicate()
        assert self.process.returncode is not None
        said = self.said.encode() + (stdout or b"")
        return Ended(self.process.returncode, said, stderr.decode())


Run: TypeAlias = Callable[..., Awaitable[Ended]]
Start: TypeAlias = Callable[..., Awaitable[Serving]]
GatewayAt: TypeAlias = Callable[[str], Awaitable[str]]


async def spawn(
    arguments: Sequence[str], environment: Mapping[str, str], *, stdout: BinaryIO | None = None
) -> asyncio.subprocess.Process:
    """Start a `gaocache` command; its output can be read where it leads to no `stdout` given."""
    return await asyncio.create_subprocess_exec(
        GAOCACHE,
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout or asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

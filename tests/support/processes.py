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


def children_of(pid: int) -> list[int]:
    """Return the ids of a process's children, the eldest first, from /proc."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def listening_at(address: str) -> set[str]:
    """Return the sockets that listen at the port of `address`, as /proc names them."""
    port = f":{int(address.rpartition(':')[2]):04X}"
    return {
        f"socket:[{fields[9]}]"
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in map(str.split, Path(table).read_text().splitlines()[1:])
        if fields[1].endswith(port) and fields[3] == "0A"
    }


def child_listening_at(up: Serving, address: str) -> int:
    """Return the id of the child that holds the listening socket, from /proc."""
    sockets = listening_at(address)
    for pid in children_of(up.process.pid):
        if any(str(fd.readlink()) in sockets for fd in Path(f"/proc/{pid}/fd").iterdir()):
            return pid
    raise AssertionError(f"no child of {up.process.pid} listens at {address}")


Run: TypeAlias = Callable[..., Awaitable[Ended]]
Start: TypeAlias = Callable[..., Awaitable[Serving]]
GatewayAt: TypeAlias = Callable[..., Awaitable[str]]


async def spawn(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int = asyncio.subprocess.DEVNULL,
    stdout: BinaryIO | None = None,
    stderr: BinaryIO | None = None,
) -> asyncio.subprocess.Process:
    """Start a `gaocache` command; what it writes can be read unless it is led elsewhere."""
    return await asyncio.create_subprocess_exec(
        GAOCACHE,
        *arguments,
        env=environment,
        stdin=stdin,
        stdout=stdout or asyncio.subprocess.PIPE,
        stderr=stderr or asyncio.subprocess.PIPE,
    )

"""A real etcd on free loopback ports, that a test can kill, freeze and rob of its data."""

import asyncio
import contextlib
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cache_core.address import Address

READY = b"serving client traffic"


class EtcdServer:
    """One server, alone in its cluster, with its data in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as one, socket.socket() as two:
            for sock in (one, two):
                sock.bind(("127.0.0.1", 0))
            self.port, self._peer_port = (sock.getsockname()[1] for sock in (one, two))
        self.address = Address("127.0.0.1", self.port)
        self._process: asyncio.subprocess.Process | None = None
        self._rest: asyncio.Task[bytes] | None = None

    async def start(self) -> None:
        """Start it, with the data it has, and wait until it serves."""
        client, peer = (f"http://127.0.0.1:{port}" for port in (self.port, self._peer_port))
        self._process = await asyncio.create_subprocess_exec(
            "etcd",
            *("--data-dir", self.folder / "data", "--logger", "zap"),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"default={peer}"),
            # A leader within 0.1 s, and leases of one second, which must outlive an election.
            *("--heartbeat-interval", "10", "--election-timeout", "100"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stderr is not None
        said = b""
        while READY not in said:
            line = await self._process.stderr.readline()
            assert line, f"etcd has ended: {said.decode()}"
            said += line
        self._rest = asyncio.create_task(self._process.stderr.read())

    async def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, its data stays."""
        assert self._process is not None
        assert self._rest is not None
        self._process.send_signal(number)
        await self._process.wait()
        await self._rest
        self._process = None

    async def restart(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill it and start it with its data."""
        await self.kill(number)
        await self.start()

    async def lose_everything(self) -> None:
        """Kill it and start it without its data."""
        await self.kill()
        shutil.rmtree(self.folder / "data")
        await self.start()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it take connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    async def aclose(self) -> None:
        """Kill it, if it runs."""
        if self._process is not None:
            await self.kill()


@contextlib.asynccontextmanager
async def etcd_at(folder: Path) -> AsyncIterator[EtcdServer]:
    """An etcd that serves; skips the test where there is none on this machine."""
    if shutil.which("etcd") is None:
        pytest.skip("etcd is not installed (Debian's etcd-server)")
    server = EtcdServer(folder)
    try:
        await server.start()
        yield server
    finally:
        await server.aclose()

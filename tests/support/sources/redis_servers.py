"""Real Redises on free loopback ports, single and Cluster, that a test can kill and freeze."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import redis
from redis.crc import key_slot

PASSWORD = "correct-horse-battery"
DEADLINE = 20.0
SLOTS = 16384
SHARE = SLOTS // 3 + 1


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` is true; what redis-py raises meanwhile is not."""
    ends = time.monotonic() + DEADLINE
    while True:
        with contextlib.suppress(redis.RedisError):
            if condition():
                return
        assert time.monotonic() < ends, f"in {DEADLINE:g} s not {what}"
        time.sleep(0.01)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]


class RedisServer:
    """One server with its data in `folder`, where every write is synced before it is answered.

    `admin` is a client of it that nobody but tests uses. `options` are further ones of its own.
    """

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.folder = folder
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.url = f"valkey://:{PASSWORD}@{self.address}"
        self.admin = redis.Redis(port=port, password=PASSWORD, socket_timeout=DEADLINE, protocol=2)
        self.servers = [self]
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs, with the data it has, and wait until it answers."""
        if self._process is not None:
            return
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "redis-server",
                    *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
                    *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
                    *("--requirepass", PASSWORD, "--masterauth", PASSWORD),
                    *self._options,
                ],
                stdout=log,
                stderr=log,
            )
        until(self.admin.ping, f"answering at {self.address}")

    def kill(self) -> None:
        """End it, its data stays. It may be dead or frozen already."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.admin.close()

    def restart(self) -> None:
        """Kill it and start it with its data."""
        self.kill()
        self.start()

    def lose_everything(self) -> None:
        """Kill it and start it without its data."""
        self.kill()
        shutil.rmtree(self.folder)
        self.start()

    def freeze(self) -> None:
        """Let it take connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)  # it may take a moment

    def thaw(self) -> None:
        """Let it go on, if it is frozen."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def command(self, *words: object) -> Any:  # noqa: ANN401 - a server's own answer
        """Return what it answers to any command."""
        return self.admin.execute_command(*words)  # type: ignore[no-untyped-call] # redis-py's

    def reads(self) -> int:
        """Return how often it has read from a socket; asking is one."""
        return int(self.admin.info("stats")["total_reads_processed"])

    def owner(self, _name: str) -> "RedisServer":
        """Return the server that has the key, as a Cluster says: itself."""
        return self


class RedisTrio:
    """A Cluster of three masters without replicas; a server that is lost takes its slots along."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(6)
        self.servers = [
            RedisServer(
                folder / f"redis{number}",
                port,
                *("--cluster-enabled", "yes", "--cluster-port", str(bus)),
                *("--cluster-node-timeout", "500"),
            )
            for number, (port, bus) in enumerate(zip(ports[:3], ports[3:], strict=True))
        ]
        self._buses = ports[3:]
        self.url = self.servers[0].url

    def start(self) -> None:
        """Start the servers that don't run and wait until each knows that the Cluster is whole."""
        for server in self.servers:
            server.start()
        first, *_ = self.servers
        for number, (server, bus) in enumerate(zip(self.servers, self._buses, strict=True)):
            if _state(server)["cluster_known_nodes"] == "1":
                server.command("CLUSTER SET-CONFIG-EPOCH", number + 1)
                ends = min((number + 1) * SHARE, SLOTS) - 1
                server.command("CLUSTER ADDSLOTSRANGE", number * SHARE, ends)
                if server is not first:
                    first.command("CLUSTER MEET", "127.0.0.1", server.port, bus)
        until(lambda: all(map(_is_whole, self.servers)), "whole")

    def kill(self) -> None:
        """End all servers, their data stays."""
        for server in self.servers:
            server.kill()

    def owner(self, name: str) -> RedisServer:
        """Return the server that had the slot of the key `name` when the Cluster was made."""
        return self.servers[key_slot(name.encode()) // SHARE]

    def lose(self, server: RedisServer) -> None:
        """Kill `server`, and wait until the others know that its slots are nobody's."""
        server.kill()
        others = [each for each in self.servers if each is not server]
        until(lambda: all(_state(each)["cluster_state"] == "fail" for each in others), "down")

    @contextlib.contextmanager
    def moving(self, name: str, source: RedisServer, target: RedisServer) -> Iterator[None]:
        """Move the slot of `name` to `target`: its keys are there already, and in the end the slot.

        Until the body has ended, `source` sends who asks for them on by ASK, then by MOVED.
        """
        slot = key_slot(name.encode())
        from_id, to_id = (each.command("CLUSTER MYID").decode() for each in (source, target))
        target.command("CLUSTER SETSLOT", slot, "IMPORTING", from_id)
        source.command("CLUSTER SETSLOT", slot, "MIGRATING", to_id)
        keys = source.command("CLUSTER GETKEYSINSLOT", slot, 1000)
        if keys:
            place = ("127.0.0.1", target.port, "", 0, int(DEADLINE * 1000))
            source.command("MIGRATE", *place, "AUTH", PASSWORD, "KEYS", *keys)
        yield
        for server in (target, source):
            server.command("CLUSTER SETSLOT", slot, "NODE", to_id)


def _state(server: RedisServer) -> dict[str, str]:
    told: dict[str, str] = server.command("CLUSTER INFO")
    return told


def _is_whole(server: RedisServer) -> bool:
    state = _state(server)
    return state["cluster_state"] == "ok" and state["cluster_known_nodes"] == "3"


Redis: TypeAlias = RedisServer | RedisTrio
"""Both are started and killed alike, have `servers`, a `url`, and an `owner` of each key."""


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A server that answers; skips the test where there is none on this machine."""
    _need_redis()
    (port,) = free_ports(1)
    server = RedisServer(folder / "redis", port)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def redis_trio(folder: Path) -> Iterator[RedisTrio]:
    """A Cluster that is whole; skips the test where there is no Redis on this machine."""
    _need_redis()
    trio = RedisTrio(folder)
    try:
        trio.start()
        yield trio
    finally:
        trio.kill()


def _need_redis() -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("Redis is not installed (Debian's redis-server)")

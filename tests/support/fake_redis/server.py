"""A Redis that needs no other program: RESP over a socket, scripts in Lua, faults on demand."""

import asyncio
import socket
import ssl
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import redis
from fake_redis.connection import Connection
from fake_redis.data import Data
from fake_redis.resp import Answer, Refused
from fake_redis.scripts import Scripts

PASSWORD: Final = "correct-horse-battery"
DEADLINE: Final = 20.0


class FakeRedis:
    """A server in a thread of its own, on a port that stays its own while it is down.

    What it holds lasts by `clock`. A test can kill and freeze it; `refusals` are the errors that it
    answers to any command with that word in it. `admin` is a client that nobody but tests uses.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.time, tls: ssl.SSLContext | None = None
    ) -> None:
        self._port = _socket(0)  # never listens: it keeps the port from others
        self.port: int = self._port.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"valkey://:{PASSWORD}@{self.address}"
        self.admin = redis.Redis(
            port=self.port, password=PASSWORD, protocol=2, socket_timeout=DEADLINE
        )
        self.servers = [self]
        self.users = {b"default": PASSWORD.encode()}
        self.refusals: dict[str, str] = {}
        self.databases: dict[int, Data] = defaultdict(lambda: Data(clock))
        self.data = self.databases[0]
        self.connections: set[Connection] = set()
        self.most_connections = 0
        self.accepted = 0
        """How many connections it has taken."""
        self.counts: Counter[str] = Counter()
        """How often each command came."""
        self._tls = tls
        self._reads = 0
        self._scripts: dict[int, Scripts] = {}
        self._is_frozen = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self._thread is not None

    def start(self) -> None:
        """Start it, unless it runs, with the data it has."""
        if self._thread is None:
            ready = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
            self._thread.start()
            assert ready.wait(DEADLINE)

    def kill(self) -> None:
        """End it, its data stays. It may be dead or frozen already."""
        if self._thread is not None:
            self.admin.close()
            self._in_loop(self._ending.set)
            self._thread.join()
            self._thread, self._is_frozen = None, False
            self._scripts = {}

    def restart(self) -> None:
        """Kill it and start it with its data."""
        self.kill()
        self.start()

    def lose_everything(self) -> None:
        """Kill it and start it without its data."""
        self.kill()
        for data in self.databases.values():
            data.run(b"FLUSHALL")
        self.start()

    def close(self) -> None:
        """End it, and give its port back."""
        self.kill()
        self._port.close()

    def freeze(self) -> None:
        """Let it take connections and answer nothing."""
        self._is_frozen = True

    def thaw(self) -> None:
        """Let it go on, if it is frozen."""
        self._is_frozen = False
        self._in_loop(self._go_on)

    def command(self, *words: object) -> Any:  # noqa: ANN401 - a server's own answer
        """Return what it answers to any command."""
        return self.admin.execute_command(*words)  # type: ignore[no-untyped-call] # redis-py's

    def reads(self) -> int:
        """Return how often it has read from a socket; asking is one."""
        return int(self.admin.info("stats")["total_reads_processed"])

    def owner(self, _name: str) -> "FakeRedis":
        """Return the server that has the key, as a Cluster says: itself."""
        return self

    def answer(self, connection: Connection, name: bytes, words: list[bytes]) -> Answer:
        """Return the answer to a command of `connection`. Raises Refused."""
        match name, words:
            case b"HELLO", []:
                return [b"server", b"redis", b"mode", b"standalone"]
            case b"SELECT", [number]:
                return self._select(connection, int(number))
            case b"INFO", [_]:
                return b"total_reads_processed:%d\r\n" % self._reads
            case b"CONFIG" | b"REPLICAOF" | b"SCRIPT", _:
                self._change(name, words)
                return "OK"
            case ((b"EVAL" | b"EVALSHA"), [script, count, *rest]):
                return self._script(connection.database, name)(script, count, *rest)
            case _:
                return self.databases[connection.database].run(name, *words)

    def came(self) -> None:
        """Note that something came."""
        self._reads += 1

    @property
    def is_frozen(self) -> bool:
        """Whether it answers nothing."""
        return self._is_frozen

    def _change(self, name: bytes, words: list[bytes]) -> None:
        match name, words:
            case b"CONFIG", [b"SET", b"maxmemory", most]:
                self.data.full = int(most) > 0
            case b"REPLICAOF", [master, _]:
                self.data.replica = master != b"NO"
            case b"SCRIPT", [b"FLUSH"]:
                self._scripts = {}
            case _:
                raise Refused("ERR syntax error")

    def _select(self, connection: Connection, number: int) -> Answer:
        if number > 15:
            raise Refused("ERR DB index is out of range")
        connection.database = number
        return "OK"

    def _script(self, database: int, name: bytes) -> Callable[..., Answer]:
        scripts = self._scripts.setdefault(database, Scripts(self.databases[database].run))
        return scripts.eval if name == b"EVAL" else scripts.evalsha

    def _go_on(self) -> None:
        for connection in self.connections:
            connection.go_on()

    def _in_loop(self, function: Callable[[], object]) -> None:
        """Call `function` in its thread, if it runs, and wait until that is done."""
        if self._loop is not None and self._thread is not None:
            done = threading.Event()

            def call() -> None:
                function()
                done.set()

            self._loop.call_soon_threadsafe(call)
            assert done.wait(DEADLINE)

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        listening = _socket(self.port)
        server = await self._loop.create_server(
            lambda: Connection(self), sock=listening, ssl=self._tls
        )
        ready.set()
        await self._ending.wait()
        server.close()
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)  # in which each hears that it is lost


def _socket(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound


@contextmanager
def fake_redis(
    _: Path | None = None,
    *,
    clock: Callable[[], float] = time.time,
    tls: ssl.SSLContext | None = None,
) -> Iterator[FakeRedis]:
    """A server that answers."""
    server = FakeRedis(clock=clock, tls=tls)
    server.start()
    try:
        yield server
    finally:
        server.close()

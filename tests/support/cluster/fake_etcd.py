"""An etcd in virtual time: leases that expire, watches, and servers that a test takes away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from cache_core.address import Address
from cache_core.membership.etcd.api import CALL_TIMEOUT, Change, Credentials, EtcdError

SERVER: Final = Address("10.0.0.9", 2379)
LATENCY: Final = 0.01
"""Seconds that a call takes, unless a test says otherwise."""

Told = tuple[float, str, bytes | None]
"""When a key was put or, if the value is None, deleted."""


class FakeEtcd:
    """Stands in for the class Etcd: its `connect` leads to one store, by whichever server.

    The servers in `down` refuse every call, those in `silent` answer none within its time.
    """

    def __init__(self) -> None:
        self.latency = LATENCY
        self.down: set[Address] = set()
        self.silent: set[Address] = set()
        self.entries: dict[str, bytes] = {}
        self.revision = 1
        self.history: list[Told] = []
        self.connects: list[tuple[float, Address]] = []
        self.failures: list[float] = []
        self.credentials: set[Credentials | None] = set()
        self.connections = 0
        self.leases: dict[int, asyncio.TimerHandle] = {}
        self._leased: dict[str, int] = {}
        self._ttl: dict[int, int] = {}
        self._granted = 0
        self._age = 0
        self._watches: list[tuple[str, FakeChanges]] = []

    @asynccontextmanager
    async def connect(
        self, server: Address, credentials: Credentials | None
    ) -> AsyncIterator["FakeConnection"]:
        self.connects.append((asyncio.get_running_loop().time(), server))
        self.credentials.add(credentials)
        self.connections += 1
        try:
            await self.called(server, self._age)
            yield FakeConnection(self, server, self._age)
        finally:
            self.connections -= 1

    async def called(self, server: Address, age: int) -> None:
        """Let a call over a connection that was made at `age` reach `server`. Raises EtcdError."""
        await asyncio.sleep(self.latency)
        if server in self.silent:
            await asyncio.sleep(CALL_TIMEOUT - self.latency)
        if server in self.silent or server in self.down or age != self._age:
            self.failures.append(asyncio.get_running_loop().time())
            raise EtcdError("no answer" if server in self.silent else "connection\nrefused")

    def set(self, key: str, value: bytes | None, lease: int = 0) -> None:
        """Put a key, or delete it where `value` is None, and tell the watches."""
        self.revision += 1
        self._leased.pop(key, None)
        if value is None:
            self.entries.pop(key, None)
        else:
            self.entries[key] = value
            self._leased[key] = lease
        self.history.append((asyncio.get_running_loop().time(), key, value))
        for prefix, changes in self._watches:
            if key.startswith(prefix):
                changes.told.put_nowait(Change(key, value, self.revision))

    def grant(self, ttl: int) -> int:
        self._granted += 1
        self._ttl[self._granted] = ttl
        self._begin(self._granted)
        return self._granted

    def renew(self, lease: int) -> None:
        if lease not in self.leases:
            raise EtcdError("the lease has expired")
        self.leases[lease].cancel()
        self._begin(lease)

    def revoke(self, lease: int) -> None:
        """End a lease, with its keys."""
        timer = self.leases.pop(lease, None)
        if timer is None:
            raise EtcdError("requested lease not found")
        timer.cancel()
        for key in [key for key, held in self._leased.items() if held == lease]:
            self.set(key, None)

    def break_connections(self) -> None:
        """End every connection; new ones can be made."""
        self._age += 1
        for _, changes in self._watches:
            changes.told.put_nowait(EtcdError("the connection\nwas lost"))

    def stop(self, server: Address = SERVER) -> None:
        """Take `server` away, and with it every connection."""
        self.down.add(server)
        self.break_connections()

    def start(self, server: Address = SERVER) -> None:
        self.down.discard(server)

    def lose_everything(self) -> None:
        """Be a new store without data; nobody is told."""
        for timer in self.leases.values():
            timer.cancel()
        for data in (self.leases, self.entries, self._leased):
            data.clear()
        self.revision = 1
        self.break_connections()

    @contextmanager
    def watched(self, prefix: str) -> Iterator["FakeChanges"]:
        watch = (prefix, FakeChanges())
        self._watches.append(watch)
        try:
            yield watch[1]
        finally:
            self._watches.remove(watch)

    def _begin(self, lease: int) -> None:
        loop = asyncio.get_running_loop()
        self.leases[lease] = loop.call_later(self._ttl[lease], self.revoke, lease)


class FakeChanges:
    """What a watch tells."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Change | EtcdError] = asyncio.Queue()

    async def next(self, within: float | None) -> Change | None:
        try:
            async with asyncio.timeout(within):
                told = await self.told.get()
        except TimeoutError:
            return None
        if isinstance(told, EtcdError):
            raise told
        return told


class FakeConnection:
    """The calls of Etcd to one server."""

    def __init__(self, etcd: FakeEtcd, server: Address, age: int) -> None:
        self._etcd = etcd
        self._server = server
        self._age = age

    async def _call(self) -> None:
        await self._etcd.called(self._server, self._age)

    @asynccontextmanager
    async def changes(self, prefix: str) -> AsyncIterator[FakeChanges]:
        await self._call()
        with self._etcd.watched(prefix) as changes:
            yield changes

    async def read(self, prefix: str) -> tuple[int, dict[str, bytes]]:
        await self._call()
        entries = self._etcd.entries.items()
        return self._etcd.revision, {key: value for key, value in entries if key.startswith(prefix)}

    async def grant(self, ttl: int) -> int:
        await self._call()
        return self._etcd.grant(ttl)

    async def put(self, key: str, value: bytes, lease: int) -> None:
        await self._call()
        self._etcd.set(key, value, lease)

    async def renew(self, lease: int) -> None:
        await self._call()
        self._etcd.renew(lease)

    async def revoke(self, lease: int) -> None:
        await self._call()
        self._etcd.revoke(lease)

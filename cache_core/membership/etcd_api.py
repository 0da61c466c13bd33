"""The few calls to etcd that a membership makes, over aetcd; the only module that imports it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

import aetcd

from cache_core.address import Address

CALL_TIMEOUT: Final = 2.0
"""Seconds that a call may take: with two thirds of a lease of 5 left, another endpoint has time."""

_CHANNEL: Final = {
    "grpc.enable_http_proxy": 0,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    # A watch on a server that is cut off ends, where TCP alone would wait for ever. etcd refuses
    # pings more often than every 5 s.
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
    "grpc.http2.max_pings_without_data": 0,
}


class EtcdError(Exception):
    """etcd can't be reached, refuses, or no longer has what was asked of it."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks; the password is in no repr."""

    user: str
    password: str = field(repr=False)


class Change(NamedTuple):
    """A key was put, or deleted where `value` is None, at `revision` of the store."""

    key: str
    value: bytes | None
    revision: int


class Changes:
    """The changes under a prefix, one after the other."""

    def __init__(self, events: AsyncIterator[Any]) -> None:
        self._events = events
        self._next: asyncio.Task[Change] | None = None

    async def next(self, within: float | None) -> Change | None:
        """Return the next change, or None if there is none in `within` seconds.

        Raises EtcdError once etcd is lost.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._read())
        done, _ = await asyncio.wait({self._next}, timeout=within)
        if not done:
            return None
        change = self._next.result()
        self._next = None
        return change

    async def aclose(self) -> None:
        """End what waits for the next change."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.wait({self._next})

    async def _read(self) -> Change:
        with _translated():
            async for event in self._events:
                kv = event.kv
                put = event.kind == aetcd.EventKind.PUT
                return Change(
                    kv.key.decode(errors="replace"), kv.value if put else None, kv.mod_revision
                )
        raise EtcdError("the watch has ended")


class Etcd:
    """A connection to one etcd server. All calls raise EtcdError and take a bounded time."""

    def __init__(self, client: aetcd.Client) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def connect(cls, server: Address, credentials: Credentials | None) -> AsyncIterator[Self]:
        """Connect to `server`; the connection is closed at the end."""
        client = aetcd.Client(
            f"[{server.host}]" if ":" in server.host else server.host,
            server.port,
            username=credentials and credentials.user,
            password=credentials and credentials.password,
            timeout=CALL_TIMEOUT,
            options=_CHANNEL,
        )
        try:
            with _translated():
                await client.connect()
            yield cls(client)
        finally:
            await client.close()

    @asynccontextmanager
    async def changes(self, prefix: str) -> AsyncIterator[Changes]:
        """Watch what lies under `prefix`, from now on."""
        with _translated():
            watch = await self._client.watch_prefix(prefix.encode())
        changes = Changes(aiter(watch))
        try:
            yield changes
        finally:
            await changes.aclose()

    async def read(self, prefix: str) -> tuple[int, dict[str, bytes]]:
        """Return the store's revision, and all keys under `prefix` with their values."""
        with _translated():
            found = await self._client.get_prefix(prefix.encode())
        return found.header.revision, {kv.key.decode(errors="replace"): kv.value for kv in found}

    async def grant(self, ttl: int) -> int:
        """Return the id of a new lease of `ttl` seconds; etcd may grant more."""
        with _translated():
            lease = await self._client.lease(ttl)
        return int(lease.id)

    async def put(self, key: str, value: bytes, lease: int) -> None:
        """Put a key that is deleted when `lease` ends."""
        with _translated():
            await self._client.put(key.encode(), value, lease)

    async def renew(self, lease: int) -> None:
        """Let the lease's time begin anew. Raises EtcdError also where it has expired."""
        with _translated():
            reply = await self._client.refresh_lease(lease)
        if reply is None or reply.TTL <= 0:
            raise EtcdError("the lease has expired")

    async def revoke(self, lease: int) -> None:
        """End the lease, and with it its keys."""
        with _translated():
            await self._client.revoke_lease(lease)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (aetcd.ClientError, TimeoutError) as error:
        raise EtcdError(str(error) or type(error).__name__) from error

"""The few calls to etcd that a membership makes, over aetcd; the only module that imports it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, Self

import aetcd
from aetcd.utils import prefix_range_end

from cache_core.address import Address

CALL_TIMEOUT: Final = 2.0
"""Seconds that a call may take. A lease of 5 s is renewed with two thirds left, so that a second
server has time to answer where the first does not."""

_CHANNEL: Final = {
    "grpc.enable_http_proxy": 0,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    # So that a watch on a server that is cut off ends: TCP alone would wait for ever. etcd refuses
    # pings more often than every 5 s.
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
    "grpc.http2.max_pings_without_data": 0,
}


class EtcdError(Exception):
    """etcd can't be reached, refuses, or no longer has what was asked of it."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The user that asks etcd; the password is left out of the repr."""

    user: str
    password: str = field(repr=False)


class Change(NamedTuple):
    """A change of `key` at `revision` of the store: `value` was put; None means it was deleted."""

    key: str
    value: bytes | None
    revision: int


class _Call(Protocol):
    """A stream of responses, as grpc.aio has it."""

    async def read(self) -> object: ...
    def cancel(self) -> bool: ...


class Changes:
    """The changes of keys under a prefix, one after the other, from a watch that has begun."""

    def __init__(self, call: _Call) -> None:
        self._call = call
        self._told: deque[Change] = deque()
        self._reading: asyncio.Task[None] | None = None

    async def next(self, within: float | None) -> Change | None:
        """Return the next change, or None if there is none in `within` seconds.

        Raises EtcdError once etcd is lost.
        """
        while not self._told:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
            done, _ = await asyncio.wait({self._reading}, timeout=within)
            if not done:
                return None
            self._reading.result()
            self._reading = None
        return self._told.popleft()

    async def aclose(self) -> None:
        """End the watch, and the call that waits for its next change."""
        self._call.cancel()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        response = await _response(self._call)
        for event in response.events:
            value = event.kv.value if event.type == event.PUT else None
            key = event.kv.key.decode(errors="replace")
            self._told.append(Change(key, value, event.kv.mod_revision))


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
        """Watch the keys under `prefix` from now on."""
        # aetcd's own watcher is deaf after etcd has cancelled it, swallows the cancellation of a
        # task that waits for it, and may wait for itself when it is closed.
        call = aetcd.rpc.WatchStub(self._client.channel).Watch(metadata=self._client.metadata)
        changes = Changes(call)
        key = prefix.encode()
        create = aetcd.rpc.WatchCreateRequest(key=key, range_end=prefix_range_end(key))
        try:
            with _translated():
                async with asyncio.timeout(CALL_TIMEOUT):
                    await call.write(aetcd.rpc.WatchRequest(create_request=create))
                    await _response(call)
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


async def _response(call: _Call) -> aetcd.rpc.WatchResponse:
    """Return a watch's next response; raises EtcdError where it has ended, or is cancelled."""
    with _translated():
        response = await call.read()
    if not isinstance(response, aetcd.rpc.WatchResponse):
        raise EtcdError("the watch has ended")
    if response.canceled:
        raise EtcdError(response.cancel_reason or "the watch was cancelled")
    return response


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except aetcd.rpc.AioRpcError as error:
        raise EtcdError(error.details() or error.code().name) from error
    except (aetcd.ClientError, TimeoutError) as error:
        raise EtcdError(str(error) or type(error).__name__) from error

"""One member's entry in etcd: made, kept alive, and made anew whenever it was lost."""

import asyncio
import contextlib
from typing import Final

from cache_core.membership.backoff import Backoff
from cache_core.membership.etcd.api import EtcdError
from cache_core.membership.etcd.servers import FIRST_RETRY, LAST_RETRY, Servers
from cache_core.membership.membership import MembershipError
from cache_core.membership.reach import Reach

JOIN_TIMEOUT: Final = 5.0
LEAVE_TIMEOUT: Final = 2.0
RENEWALS: Final = 3
"""How often a lease is renewed in its time."""


class Registration:
    """Keeps `key` with `value` in etcd, under a lease of `ttl` seconds, from `start` to `end`."""

    def __init__(self, servers: Servers, reach: Reach, key: str, value: bytes, ttl: int) -> None:
        self._servers = servers
        self._reach = reach
        self._key = key
        self._value = value
        self._ttl = ttl
        self._lease: int | None = None
        self._made = asyncio.Event()
        self._trouble: EtcdError | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Make the entry, and keep it.

        Raises MembershipError where that can't be done in JOIN_TIMEOUT seconds.
        """
        self._task = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(JOIN_TIMEOUT):
                await self._made.wait()
        except TimeoutError:
            await self.end()
            why = self._trouble or "it does not answer"
            raise MembershipError(f"can't register in {self._servers}: {why}") from self._trouble
        except asyncio.CancelledError:
            await self.end()
            raise

    async def end(self) -> None:
        """Take the entry back, within LEAVE_TIMEOUT seconds; else its lease ends by itself."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._lease is not None:
            with contextlib.suppress(EtcdError, TimeoutError):
                async with asyncio.timeout(LEAVE_TIMEOUT), self._servers.connect() as etcd:
                    await etcd.revoke(self._lease)

    async def _keep(self) -> None:
        backoff = Backoff(FIRST_RETRY, LAST_RETRY)
        try:
            while True:
                try:
                    await self._hold(backoff)
                except EtcdError as error:
                    self._trouble = error
                    if self._made.is_set():
                        self._reach.lost(self, error)
                await backoff.wait()
        finally:
            self._reach.forget(self)

    async def _hold(self, backoff: Backoff) -> None:
        """Make the entry and renew its lease. Raises EtcdError once that fails."""
        async with self._servers.connect() as etcd:
            self._lease = await etcd.grant(self._ttl)
            await etcd.put(self._key, self._value, self._lease)
            self._made.set()
            self._reach.found(self)
            backoff.reset()
            while True:
                await asyncio.sleep(self._ttl / RENEWALS)
                await etcd.renew(self._lease)

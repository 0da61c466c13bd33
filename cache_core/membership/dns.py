"""A membership by DNS: all addresses of a name, as a Kubernetes headless service has them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from cache_core.address import Address
from cache_core.cluster.member import Member
from cache_core.membership.backoff import Backoff
from cache_core.membership.reach import Reach
from cache_core.resolver import Resolve, system_resolve

INTERVAL: Final = 5.0
FIRST_RETRY: Final = 0.25
"""Until it has an address, the name is looked up again after so many seconds, then after twice."""


class DnsMembership:
    """Makes every address of `host` a member of weight 1, at `port`.

    The name is looked up every `interval` seconds. An answer without addresses counts as no answer:
    the members that were known last stay.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        interval: float = INTERVAL,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._host = host
        self._port = port
        self._interval = interval
        self._resolve = resolve
        self._reach = Reach(f"the name {host}")

    async def join(self, member: Member) -> None:
        """Do nothing, because a member is added where the name's addresses are kept."""

    async def leave(self) -> None:
        """Do nothing."""

    async def watch(self) -> AsyncIterator[frozenset[Member]]:
        """Yield the members: once the name has an address, and again after each change."""
        part = object()
        known: frozenset[Member] = frozenset()
        unknown = Backoff(FIRST_RETRY, self._interval)
        try:
            while True:
                try:
                    members = await self._members()
                except OSError as error:
                    self._reach.lost(part, error)
                else:
                    self._reach.found(part)
                    if members != known:
                        known = members
                        yield known
                await (asyncio.sleep(self._interval) if known else unknown.wait())
        finally:
            self._reach.forget(part)

    async def _members(self) -> frozenset[Member]:
        hosts = await self._resolve(self._host, self._port)
        members = frozenset(Member(str(Address(host, self._port))) for host in hosts)
        if not members:
            raise OSError(f"{self._host} has no address")
        return members

"""A membership in etcd: each member is a key, under a lease that the member renews."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Final

from cache_core.address import Address
from cache_core.cluster.member import Member
from cache_core.membership.backoff import Backoff
from cache_core.membership.etcd.api import Change, Credentials, EtcdError
from cache_core.membership.etcd.registration import Registration
from cache_core.membership.etcd.roll import Roll
from cache_core.membership.etcd.servers import FIRST_RETRY, LAST_RETRY, Servers
from cache_core.membership.reach import Reach

logger = logging.getLogger("gaocache")

TTL: Final = 5
MARGIN: Final = 2.0
"""A member that etcd lacks when found again is dropped so many seconds past a lease's time."""


class EtcdMembership:
    """Keeps each member as a key `prefix/host:port` whose value is JSON, `{"weight": n}`.

    `servers` are those of one etcd cluster, asked in turn when one fails. `ttl`, in whole seconds,
    is how long a member that vanished is still known.
    """

    def __init__(
        self,
        servers: Sequence[Address],
        prefix: str,
        *,
        credentials: Credentials | None = None,
        ttl: int = TTL,
    ) -> None:
        self._servers = Servers(servers, credentials)
        self._prefix = f"{prefix}/"
        self._ttl = ttl
        self._reach = Reach(str(self._servers))
        self._registration: Registration | None = None

    async def join(self, member: Member) -> None:
        """Register `member`, and again whenever its lease or etcd was lost, until it leaves.

        Raises MembershipError where etcd can't be reached, or refuses, for some seconds.
        """
        await self.leave()
        key = self._prefix + member.name
        value = json.dumps({"weight": member.weight}).encode()
        registration = Registration(self._servers, self._reach, key, value, self._ttl)
        await registration.start()
        self._registration = registration

    async def leave(self) -> None:
        """Take the registration back. It takes a bounded time and never raises."""
        registration, self._registration = self._registration, None
        if registration is not None:
            await registration.end()

    async def watch(self) -> AsyncIterator[frozenset[Member]]:
        """Yield the members: once etcd has told them, and again after each change."""
        part = object()
        roll = Roll(self._ttl + MARGIN, asyncio.get_running_loop().time)
        backoff = Backoff(FIRST_RETRY, LAST_RETRY)
        told: frozenset[Member] | None = None
        try:
            while True:
                try:
                    async with aclosing(self._follow(roll)) as changing:
                        async for members in changing:
                            self._reach.found(part)
                            backoff.reset()
                            if members != told:
                                told = members
                                yield members
                except EtcdError as error:
                    self._reach.lost(part, error)
                await backoff.wait()
        finally:
            self._reach.forget(part)

    async def _follow(self, roll: Roll) -> AsyncGenerator[frozenset[Member]]:
        """Yield the members, now and whenever they may have changed, until EtcdError."""
        # The watch is there before the keys are read, over one connection: nothing falls between
        # the two, and no revision is asked for that was compacted or lost with the data.
        async with self._servers.connect() as etcd, etcd.changes(self._prefix) as changes:
            read_at, entries = await etcd.read(self._prefix)
            members = {key: self._member(key, value) for key, value in entries.items()}
            roll.found({key: member for key, member in members.items() if member})
            while True:
                yield roll.members()
                change = await changes.next(roll.settles_in())
                if change is not None and change.revision > read_at:
                    self._apply(change, roll)

    def _apply(self, change: Change, roll: Roll) -> None:
        member = self._member(change.key, change.value) if change.value is not None else None
        if member:
            roll.put(change.key, member)
        else:
            roll.drop(change.key)

    def _member(self, key: str, value: bytes) -> Member | None:
        """Return the member of an entry; None, and a line in the log, if the entry is malformed."""
        name = key.removeprefix(self._prefix)
        try:
            member = Member.parse(f"{name}*{json.loads(value)['weight']}")
        except (ValueError, TypeError, KeyError):
            member = None
        if member is None or member.name != name:
            logger.warning("%s: the key %r is no member, it is left out", self._servers, key)
            return None
        return member

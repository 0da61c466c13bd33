"""A hand-written stand-in for a registry of members."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from cache_core.cluster.member import Member

if TYPE_CHECKING:
    from cache_core.membership.membership import MembershipError


class FakeRegistry:
    """A Membership that remembers who is in it, and may be slow, away, or refuse a node.

    `gate` holds back who joins, `known` the members; `joining` and `watched` are set when a node
    asks for either. A node is refused with `error` where there is one.
    """

    def __init__(self, *members: Member) -> None:
        self.members = set(members)
        self.error: MembershipError | None = None
        self.joining = asyncio.Event()
        self.watched = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.known = asyncio.Event()
        self.known.set()

    async def join(self, member: Member) -> None:
        self.joining.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.members.add(member)

    async def leave(self) -> None:
        self.members.clear()

    async def watch(self) -> AsyncIterator[frozenset[Member]]:
        self.watched.set()
        await self.known.wait()
        yield frozenset(self.members)
        await asyncio.Event().wait()

"""A membership that is a list and never changes."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from cache_core.cluster.member import Member
from cache_core.membership.membership import InvalidMembership, MembershipError


class StaticMembership:
    """Has the given members, and keeps them whichever nodes join or leave.

    Raises InvalidMembership where a name is given with two weights.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self._members = frozenset(members)
        weights: dict[str, int] = {}
        for name, weight in sorted(self._members):
            if weights.setdefault(name, weight) != weight:
                raise InvalidMembership(
                    f"{name} is given with two weights, {weights[name]} and {weight}"
                )

    async def join(self, member: Member) -> None:
        """Do nothing, because all that are to know the member have the list.

        Raises MembershipError where the list lacks the member.
        """
        names = sorted(known.name for known in self._members)
        if member.name not in names:
            raise MembershipError(
                f"{member.name} is not among the members {', '.join(names)}; "
                "let it advertise one of these, by the very same name"
            )

    async def leave(self) -> None:
        """Do nothing."""

    async def watch(self) -> AsyncIterator[frozenset[Member]]:
        """Yield the members once, and wait for ever."""
        yield self._members
        await asyncio.get_running_loop().create_future()

"""The Protocol of a membership, as nodes and clients use it. Knows no network."""

from collections.abc import AsyncIterator
from typing import Protocol

from cache_core.cluster.member import Member


class MembershipError(Exception):
    """A member could not be made known to the others; the text says why."""


class InvalidMembership(ValueError):
    """The given text or value describes no membership; the error says why, and what would."""


class Membership(Protocol):
    """The members of a cluster, as a list, DNS or a registry tells them."""

    async def join(self, member: Member) -> None:
        """Make `member`, a node that is about to serve, known to the others, until it leaves.

        Raises MembershipError where that can't be.
        """

    async def leave(self) -> None:
        """Undo `join`, if it was called; others may go on knowing the member."""

    def watch(self) -> AsyncIterator[frozenset[Member]]:
        """Yield the members: once they are known, and again after each change.

        While the source of the list can't be reached, the members that were known last stay. The
        iterator never ends by itself, never raises, and never yields the same members twice in a
        row.
        """

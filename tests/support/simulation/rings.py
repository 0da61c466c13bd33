"""Rings, made once for each set of members: a ring never changes, and takes long to make."""

from collections.abc import Iterable
from functools import cache

from cache_core.cluster.member import Member
from cache_core.cluster.ring import Ring


def ring_of(members: Iterable[Member]) -> Ring:
    """Return the ring of `members`."""
    return _made(frozenset(members))


@cache
def _made(members: frozenset[Member]) -> Ring:
    return Ring(members)

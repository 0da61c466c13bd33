"""The members that a registry tells of, and when a missing one is dropped.

Knows no network.
"""

from collections.abc import Callable, Mapping

from cache_core.cluster.member import Member


class Roll:
    """Holds members by their keys in a registry that may be lost, and come back with fewer.

    A member that leaves is dropped at once. But for `grace` seconds after the registry is found
    again no earlier member is dropped, even if it is missing or leaves: the registry's data may be
    lost, or leases may have expired while nobody could renew them, and members are about to
    register anew.
    """

    def __init__(self, grace: float, clock: Callable[[], float]) -> None:
        self._grace = grace
        self._clock = clock
        self._present: dict[str, Member] = {}
        self._held: dict[str, Member] = {}
        self._until = 0.0

    def members(self) -> frozenset[Member]:
        """Return the members as of now."""
        return frozenset(self._effective().values())

    def settles_in(self) -> float | None:
        """Return the seconds until missing members are dropped, or None if all are there."""
        left = self._until - self._clock()
        return left if left > 0 and self._held.keys() - self._present.keys() else None

    def found(self, present: Mapping[str, Member]) -> None:
        """Note that the registry was found, for the first time or again, with these members."""
        self._held = self._effective()
        self._until = self._clock() + self._grace
        self._present = dict(present)

    def put(self, key: str, member: Member) -> None:
        """Note that `member` has registered."""
        self._present[key] = member

    def drop(self, key: str) -> None:
        """Note that the member under `key` has left, or that its lease has expired."""
        self._present.pop(key, None)

    def _effective(self) -> dict[str, Member]:
        held = self._held if self._clock() < self._until else {}
        return {**held, **self._present}

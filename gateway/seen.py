"""Whether something was asked for lately. Pure."""

from collections.abc import Hashable


class Seen:
    """Tells what comes again from what comes once, within `count` to twice as many others.

    Two generations of hashes; what has the same hash counts as the same.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._young: set[int] = set()
        self._old: set[int] = set()

    def again(self, what: Hashable) -> bool:
        """Return whether `what` was asked for lately, and note that it is."""
        hashed = hash(what)
        if hashed in self._young:
            return True
        if len(self._young) >= self._count:
            self._old, self._young = self._young, set()
        self._young.add(hashed)
        return hashed in self._old

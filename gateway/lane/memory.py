"""What the fast lane remembers of requests, within bounds. Pure."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from gateway.lane.recent import Recent

V = TypeVar("V")

SMALL_BYTES: Final = 16 * 1024 * 1024
"""Of all that is small, together."""

LARGE_BYTES: Final = 16 * 1024 * 1024
"""Of all that is large: apart, for a few large ones would crowd out thousands of small ones."""

LARGE: Final = 64 * 1024
"""What weighs more bytes is large."""

SEEN: Final = 16 * 1024
"""A request that comes again after no more others than that is remembered. To remember those that
come once, and forget others for them, took 17 of 149 us a request with 100,000 keys."""


class Memory(Generic[V]):
    """Remembers values by requests that come again; whoever offers one says what it weighs."""

    def __init__(self) -> None:
        self._small: Recent[bytes, V] = Recent(SMALL_BYTES)
        self._large: Recent[bytes, V] = Recent(LARGE_BYTES)
        self._seen = Seen(SEEN)

    def get(self, request: bytes) -> V | None:
        """Return what is remembered for `request`."""
        found = self._small.get(request)
        return self._large.get(request) if found is None else found

    def offer(self, request: bytes, value: V, size: int) -> None:
        """Remember `value`, of `size` bytes, in place of what is; or if `request` comes again."""
        if self.get(request) is None and not self._seen.again(request):
            return
        here, there = self._small, self._large
        if size > LARGE:
            here, there = there, here
        there.drop(request)
        here.put(request, value, size)


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

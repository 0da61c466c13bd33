"""The fast lane's memory of requests, within bounds. Pure."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from gateway.lane.recent import Recent

V = TypeVar("V")

SMALL_BYTES: Final = 16 * 1024 * 1024
"""The bytes for all small values together."""

LARGE_BYTES: Final = 16 * 1024 * 1024
"""The bytes for all large values together.

They have their own, because a few large values would crowd out thousands of small ones.
"""

LARGE: Final = 64 * 1024
"""A value of more bytes is large."""

SEEN: Final = 16 * 1024
"""A request is remembered if it comes again after at most so many others.

Remembering requests that come once, and forgetting others for them, took 17 of 149 us a request
with 100,000 keys.
"""


class Memory(Generic[V]):
    """Remembers values by requests that come again; its caller says how many bytes each takes."""

    def __init__(self) -> None:
        self._small: Recent[bytes, V] = Recent(SMALL_BYTES)
        self._large: Recent[bytes, V] = Recent(LARGE_BYTES)
        self._seen = Seen(SEEN)

    def get(self, request: bytes) -> V | None:
        """Return the value that is remembered for `request`, or None."""
        found = self._small.get(request)
        return self._large.get(request) if found is None else found

    def offer(self, request: bytes, value: V, size: int) -> None:
        """Remember `value`, of `size` bytes, if `request` is remembered or was offered lately.

        It replaces the value that is remembered for `request`.
        """
        if self.get(request) is None and not self._seen.again(request):
            return
        here, there = self._small, self._large
        if size > LARGE:
            here, there = there, here
        there.drop(request)
        here.put(request, value, size)


class Seen:
    """Tells whether a thing has come before, among the last `count` to twice as many others.

    It keeps two generations of hashes. Things with the same hash count as the same.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._young: set[int] = set()
        self._old: set[int] = set()

    def again(self, what: Hashable) -> bool:
        """Return whether `what` has come lately, and note that it has come now."""
        hashed = hash(what)
        if hashed in self._young:
            return True
        found = hashed in self._old
        if len(self._young) >= self._count:
            self._old, self._young = self._young, set()
        self._young.add(hashed)
        return found

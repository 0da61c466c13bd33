"""The times at which slots expire, in buckets, so that expired slots are found at once.

Knows no clock. Buckets are linked lists through two columns, so a slot that leaves early leaves
its bucket at once and nothing grows with the rate of replacement.
"""

import heapq
from array import array
from collections.abc import Iterator
from math import inf
from typing import Final

from cache_core.memory.slots import RESERVED, Slots

BUCKETS_STEP: Final = 500
"""How many buckets one search closes at the most: to close a day's empty ones would take 60 ms."""

WIDTH_BITS: Final = 7
"""A bucket is as wide as a 64th of its entries' lives or less, so that a few thousand buckets hold
lives of any length. Buckets of one second would take 180 MB for lives of a month, and most of them
would be emptied long before."""

SHORTEN_STEP: Final = 1_000
"""How many slots one step of `shorten` looks at, which takes less than a millisecond."""

_END: Final = 0


class ExpiryBuckets:
    """Holds those of `slots` that were added, in buckets by the second of their hard expiry."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._next = array("I")
        self._previous = array("I")
        self._first: dict[int, int] = {}
        self._seconds: list[int] = []

    def add(self, slot: int) -> None:
        """Put `slot` into the bucket of its hard expiry, which must be finite."""
        if slot >= len(self._next):
            self._grow()
        second = self._second(slot)
        first = self._first.get(second)
        if first is None:
            heapq.heappush(self._seconds, second)
            first = _END
        self._next[slot] = first
        self._previous[slot] = _END
        self._previous[first] = slot
        self._first[second] = slot

    def remove(self, slot: int) -> None:
        """Take `slot` out of its bucket; it has no expiry after that."""
        before, after = self._previous[slot], self._next[slot]
        self._previous[after] = before
        if before == _END:
            self._first[self._second(slot)] = after
        else:
            self._next[before] = after
        self._slots.soft[slot] = self._slots.hard[slot] = inf

    def expired(self, now: float) -> Iterator[int]:
        """Yield slots that have expired at `now`; each must be removed before the next.

        One call closes BUCKETS_STEP buckets at the most, and leaves the others for the next call.
        """
        for _ in range(BUCKETS_STEP):
            if not self._seconds or self._seconds[0] + 1 > now:
                return
            second = self._seconds[0]
            while slot := self._first[second]:
                yield slot
            heapq.heappop(self._seconds)
            del self._first[second]

    def shorten(self, ttl: float, grace: float) -> Iterator[None]:
        """End each slot's freshness at most `ttl` seconds after it was loaded.

        A slot that is shortened is then of use for at most `grace` seconds more. Works in steps,
        one for each yield.
        """
        slots = self._slots
        first = RESERVED
        while first < len(slots.keys):
            until = min(first + SHORTEN_STEP, len(slots.keys))
            for slot in range(first, until):
                soft = slots.loaded[slot] + ttl
                if slots.keys[slot] and soft < slots.soft[slot]:
                    hard = min(slots.hard[slot], soft + grace)
                    if slots.hard[slot] != inf:
                        self.remove(slot)
                    slots.soft[slot], slots.hard[slot] = soft, hard
                    self.add(slot)
            first = until
            yield

    def _second(self, slot: int) -> int:
        """Return the last second of the slot's bucket, the same for as long as it is in there."""
        hard = self._slots.hard[slot]
        life = int(hard - self._slots.loaded[slot])
        return int(hard) | (1 << max(0, life.bit_length() - WIDTH_BITS)) - 1

    def _grow(self) -> None:
        count = len(self._slots.keys) - len(self._next)
        for column in (self._next, self._previous):
            column.frombytes(bytes(count * column.itemsize))

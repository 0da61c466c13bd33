"""S3-FIFO: a small queue for new keys, a main one for those read in it, a ghost of those that left.

Yang, Zhang, Qiu, Yue, Rashmi: FIFO queues are all you need for cache eviction (SOSP 2023), with
the queues' shares counted in bytes and a direct-mapped ghost.
"""

from array import array
from typing import TYPE_CHECKING, Final

from cache_core.memory.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL: Final = 0
MAIN: Final = 1
"""The queues' heads: reserved slots that hold no entry."""

SMALL_SHARE: Final = 10
"""The small queue's part of the capacity: a tenth."""

MAX_SPARED: Final = 256
"""How many read entries may be spared while room is made for one, which takes 0.1 ms. Without a
limit, an all-hot cache would stall a set for 74 ms."""

MIN_GHOST: Final = 16

FINGERPRINT: Final = 0x3FFFFFFF
"""The bits of a key's hash that are used: as many as CPython combines without a loop."""


class S3FIFO:
    """Two queues as circular lists of slots through two columns; every operation is O(1).

    A read costs nothing but the cache's bump of `Slots.hits`. Entries that were read while in
    the small queue move on to the main one, others leave; a key that left lately comes back to
    the main one. The main queue spares an entry once for each read, up to three. Until the
    first eviction the main queue takes what the small one has no room for.

    The ghost has about a cell for each key in the main queue. A key that leaves the small queue
    puts its fingerprint into its cell. The fingerprint that was there, most likely an old one, is
    forgotten.
    """

    __slots__ = (
        "_ghost",
        "_hits",
        "_keys",
        "_main_count",
        "_mask",
        "_next",
        "_previous",
        "_queue",
        "_small_bytes",
        "_small_limit",
        "_spared",
        "_warming",
        "_weights",
        "touch",
    )

    def __init__(self, slots: Slots, capacity: int) -> None:
        self.touch: Callable[[int], None] | None = None
        self._keys = slots.keys
        self._weights = slots.weights
        self._hits = slots.hits
        self._next = array("I", [SMALL, MAIN])
        self._previous = array("I", [SMALL, MAIN])
        self._queue = bytearray([SMALL, MAIN])
        self._small_bytes = 0
        self._small_limit = capacity // SMALL_SHARE
        self._main_count = 0
        self._spared = 0
        self._ghost = array("I", bytes(4 * MIN_GHOST))
        self._mask = MIN_GHOST - 1
        self._warming = True

    def admit(self, slot: int) -> None:
        """Put `slot` at the end of the queue that its key belongs into."""
        if slot >= len(self._queue):
            self._grow_columns()
        self._spared = 0
        small_bytes = self._small_bytes + self._weights[slot]
        fingerprint = hash(self._keys[slot]) & FINGERPRINT
        cell = fingerprint & self._mask
        if self._ghost[cell] == fingerprint:
            self._ghost[cell] = 0
        elif self._hits[slot] and self._queue[slot] == MAIN:
            pass  # a new value of a key in the main queue: the small one's share is not for it
        elif not self._warming or small_bytes <= self._small_limit:
            self._small_bytes = small_bytes
            self._append(slot, SMALL)
            return
        self._main_count += 1
        self._append(slot, MAIN)

    def evict(self, incoming: int) -> int:
        """Give up and return the next slot that was not read since it was last looked at.

        Raises LookupError if there is none.
        """
        self._warming = False
        hits, following, previous = self._hits, self._next, self._previous
        while True:
            slot = following[SMALL]
            if slot and (self._small_bytes + incoming > self._small_limit or not self._main_count):
                following[SMALL] = after = following[slot]
                previous[after] = SMALL
                self._small_bytes -= self._weights[slot]
                if not hits[slot] or self._spared == MAX_SPARED:
                    if self._main_count > len(self._ghost):
                        self._grow_ghost()
                    fingerprint = hash(self._keys[slot]) & FINGERPRINT
                    self._ghost[fingerprint & self._mask] = fingerprint
                    return slot
                hits[slot] = 0
                self._main_count += 1
            else:
                slot = following[MAIN]
                if slot == MAIN:
                    raise LookupError("no slot is held")
                following[MAIN] = after = following[slot]
                previous[after] = MAIN
                if not hits[slot] or self._spared == MAX_SPARED:
                    self._main_count -= 1
                    return slot
                hits[slot] -= 1
            self._append(slot, MAIN)
            self._spared += 1

    def forget(self, slot: int) -> None:
        """Give up `slot`."""
        before, after = self._previous[slot], self._next[slot]
        self._next[before] = after
        self._previous[after] = before
        if self._queue[slot] == SMALL:
            self._small_bytes -= self._weights[slot]
        else:
            self._main_count -= 1

    def _append(self, slot: int, head: int) -> None:
        previous, following = self._previous, self._next
        last = previous[head]
        following[last] = previous[head] = slot
        previous[slot] = last
        following[slot] = head
        self._queue[slot] = head

    def _grow_columns(self) -> None:
        count = len(self._keys) - len(self._queue)
        self._queue.extend(bytes(count))
        for column in (self._next, self._previous):
            column.frombytes(bytes(count * column.itemsize))

    def _grow_ghost(self) -> None:
        while len(self._ghost) < self._main_count:
            # In a table of twice the size, a cell is the old one or that plus the old size.
            self._ghost.extend(self._ghost)
        self._mask = len(self._ghost) - 1

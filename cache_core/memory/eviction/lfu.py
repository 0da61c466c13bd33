"""Least frequently used: the entry with the fewest uses leaves first.

Of several with as few uses, the one that came to that number first leaves first.

Shah, Mitra, Matani: An O(1) algorithm for implementing the LFU cache eviction scheme (2010).
"""

from collections import OrderedDict
from typing import TYPE_CHECKING

from cache_core.memory.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable


class LFU:
    """Keeps slots by how often they were used, those of one frequency in order of arrival there.

    Every operation is O(1), except an eviction that finds no slot of the lowest frequency.
    """

    def __init__(self, slots: Slots, _capacity: int) -> None:
        self._hits = slots.hits
        self._frequency: dict[int, int] = {}
        self._orders: dict[int, OrderedDict[int, None]] = {}
        self._lowest = 1
        self.touch: Callable[[int], None] | None = self._use

    def admit(self, slot: int) -> None:
        """Take `slot` in with one use, or with one more than its key's last value had."""
        used = self._frequency.get(slot, 0) if self._hits[slot] else 0
        self._enter(slot, used + 1)

    def evict(self, _incoming: int) -> int:
        """Give up and return the slot used least. Raises LookupError if there is none."""
        if not self._orders:
            raise LookupError("no slot is held")
        if self._lowest not in self._orders:
            self._lowest = min(self._orders)
        slot = next(iter(self._orders[self._lowest]))
        self._leave(slot, self._lowest)
        return slot

    def forget(self, slot: int) -> None:
        """Give up `slot`; its uses are kept for its key's next value."""
        self._leave(slot, self._frequency[slot])

    def _use(self, slot: int) -> None:
        frequency = self._frequency[slot]
        self._leave(slot, frequency)
        self._enter(slot, frequency + 1)

    def _enter(self, slot: int, frequency: int) -> None:
        self._frequency[slot] = frequency
        self._orders.setdefault(frequency, OrderedDict())[slot] = None
        self._lowest = min(self._lowest, frequency)

    def _leave(self, slot: int, frequency: int) -> None:
        order = self._orders[frequency]
        del order[slot]
        if not order:
            del self._orders[frequency]

"""Least recently used: the entry read or written longest ago leaves first."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from cache_core.memory.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable


class LRU:
    """Keeps slots in the order of their last use; every operation is O(1)."""

    def __init__(self, _slots: Slots, _capacity: int) -> None:
        self._order: OrderedDict[int, None] = OrderedDict()
        self.touch: Callable[[int], None] | None = self._order.move_to_end

    def admit(self, slot: int) -> None:
        """Put `slot` at the recent end."""
        self._order[slot] = None

    def evict(self, _incoming: int) -> int:
        """Give up and return the slot used longest ago. Raises LookupError if there is none."""
        slot, _ = self._order.popitem(last=False)
        return slot

    def forget(self, slot: int) -> None:
        """Give up `slot`."""
        del self._order[slot]

"""The Protocol of an eviction policy, as the cache uses it."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from cache_core.memory.slots import Slots


class Policy(Protocol):
    """An order over a cache's slots, which says which leaves first.

    It is made from the cache's Slots and its capacity. A slot's key and weight are set before it is
    admitted and stay until it has left. The cache counts reads in `Slots.hits` by itself. On each
    read it also calls `touch`, if there is one, with the slot. `touch` is None where the byte in
    `hits` is enough, because the call takes a quarter of a whole hit's time.
    """

    touch: Callable[[int], None] | None

    def admit(self, slot: int) -> None:
        """Take in a slot. A slot with hits already held the previous value of its key."""

    def evict(self, incoming: int) -> int:
        """Give up and return a slot, to make room for a weight of `incoming` bytes.

        Raises LookupError if none is held.
        """

    def forget(self, slot: int) -> None:
        """Give up a slot that leaves by itself: removed, replaced or expired."""


PolicyFactory: TypeAlias = Callable[[Slots, int], Policy]

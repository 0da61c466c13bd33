"""Slots that an eviction policy orders, without a cache around them."""

from typing import Final

from cache_core.memory.cache import MAX_HITS
from cache_core.memory.eviction import POLICIES, Policy
from cache_core.memory.slots import Slots

CAPACITY: Final = 10_000


class Shelf:
    """Slots that a policy orders, filled and read as the cache does it."""

    def __init__(self, policy: str) -> None:
        self.slots = Slots()
        self.policy: Policy = POLICIES[policy](self.slots, CAPACITY)

    def put(self, key: str, weight: int = 100) -> int:
        free = self.slots.free
        slot = free.pop() if free else self.slots.grow()
        self.slots.keys[slot] = key
        self.slots.weights[slot] = weight
        self.policy.admit(slot)
        return slot

    def replace(self, slot: int, weight: int = 100) -> None:
        self.policy.forget(slot)
        self._bump(slot)
        self.slots.weights[slot] = weight
        self.policy.admit(slot)

    def read(self, slot: int) -> None:
        self._bump(slot)
        if self.policy.touch is not None:
            self.policy.touch(slot)

    def forget(self, slot: int) -> None:
        self.policy.forget(slot)
        self.slots.release(slot)

    def evict(self, incoming: int = 100) -> str:
        slot = self.policy.evict(incoming)
        key = self.slots.keys[slot]
        self.slots.release(slot)
        return key

    def _bump(self, slot: int) -> None:
        self.slots.hits[slot] = min(self.slots.hits[slot] + 1, MAX_HITS)

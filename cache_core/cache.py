"""The byte-bounded map of one group. Knows no sources, no event loop and no clock."""

from cache_core.eviction import Policy
from cache_core.value import Value

OVERHEAD = 256
"""Bytes charged an entry on top of its key and value: what the interpreter adds to small ones."""


def weight(key: str, value: Value) -> int:
    """Return the bytes charged for an entry."""
    return len(key.encode()) + len(value.data) + OVERHEAD


class Cache:
    """A map from keys to values whose weights never sum to more than `capacity` bytes."""

    def __init__(self, capacity: int, policy: Policy) -> None:
        self.capacity = capacity
        self.bytes = 0
        self._values: dict[str, Value] = {}
        self._policy = policy

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> Value | None:
        """Return the value held for `key`, or None."""
        value = self._values.get(key)
        if value is not None:
            self._policy.touch(key)
        return value

    def set(self, key: str, value: Value) -> None:
        """Hold `value` for `key` in place of what was held, evicting others to make room.

        A value that the whole budget can't take is not held, and neither is what it replaces.
        """
        self.remove(key)
        charge = weight(key, value)
        if charge > self.capacity:
            return
        while self.bytes + charge > self.capacity:
            self._discard(self._policy.victim())
        self._values[key] = value
        self.bytes += charge
        self._policy.touch(key)

    def remove(self, key: str) -> None:
        """Hold nothing for `key`."""
        if key in self._values:
            self._policy.forget(key)
            self._discard(key)

    def _discard(self, key: str) -> None:
        self.bytes -= weight(key, self._values.pop(key))

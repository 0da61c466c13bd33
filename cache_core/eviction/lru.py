"""Least recently used: the key read or written longest ago leaves first."""

from collections import OrderedDict


class LRU:
    """The recency order of keys; every operation is O(1)."""

    def __init__(self) -> None:
        self._keys: OrderedDict[str, None] = OrderedDict()

    def touch(self, key: str) -> None:
        """Move `key` to the recent end."""
        self._keys[key] = None
        self._keys.move_to_end(key)

    def forget(self, key: str) -> None:
        """Drop `key`. Raises KeyError if unknown."""
        del self._keys[key]

    def victim(self) -> str:
        """Drop and return the key touched longest ago. Raises KeyError if there is none."""
        key, _ = self._keys.popitem(last=False)
        return key

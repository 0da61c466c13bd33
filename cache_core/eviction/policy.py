"""What the cache asks of an eviction policy. Knows keys only: no values, weights or clocks."""

from typing import Protocol


class Policy(Protocol):
    """An order over the keys that a cache holds."""

    def touch(self, key: str) -> None:
        """Note that `key` was read or written; a key not seen before is admitted."""

    def forget(self, key: str) -> None:
        """Drop `key`, which the cache has removed by itself. Raises KeyError if unknown."""

    def victim(self) -> str:
        """Drop and return the key to evict next. Raises KeyError if there is none."""

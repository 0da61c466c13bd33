"""A bounded memory of what was asked for lately. Pure."""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Remembers values by keys until at least half of `max_bytes` came after their last use.

    Two generations: what is asked for in the old one moves to the young one, and when that has
    half of the bytes the old one is forgotten. Whoever puts a value says what it weighs, in bytes.
    """

    def __init__(self, max_bytes: int) -> None:
        self._half = max_bytes // 2
        self._young: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}
        self._young_bytes = 0

    def get(self, key: K) -> V | None:
        """Return the value that was put for `key`, unless it is forgotten."""
        found = self._young.get(key)
        if found is None:
            found = self._old.pop(key, None)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Remember `value`, of `size` bytes, instead of what there was; not what is too large."""
        self.drop(key)
        if size > self._half:
            return
        if self._young_bytes + size > self._half:
            self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[key] = value, size
        self._young_bytes += size

    def drop(self, key: K) -> None:
        """Forget what was put for `key`."""
        self._old.pop(key, None)
        dropped = self._young.pop(key, None)
        if dropped is not None:
            self._young_bytes -= dropped[1]

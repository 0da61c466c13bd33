"""A bounded memory of values that were asked for lately. Pure."""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Remembers values by keys until at least half of `max_bytes` came after their last use.

    There are two generations. A value of the old one that is asked for moves to the young one. When
    the young one has half of the bytes, it becomes the old one, and the old one is forgotten. The
    caller of `put` says how many bytes a value takes.
    """

    def __init__(self, max_bytes: int) -> None:
        self._half = max_bytes // 2
        self._young: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}
        self._young_bytes = 0

    def get(self, key: K) -> V | None:
        """Return the value that was put for `key`, or None where it is forgotten."""
        found = self._young.get(key)
        if found is None:
            found = self._old.pop(key, None)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Remember `value`, of `size` bytes, in place of the one before.

        A value of more than half of `max_bytes` is too large: it is not remembered, and the one
        before is forgotten all the same.
        """
        self.drop(key)
        if size > self._half:
            return
        if self._young_bytes + size > self._half:
            self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[key] = value, size
        self._young_bytes += size

    def drop(self, key: K) -> None:
        """Forget the value that was put for `key`, if there is one."""
        self._old.pop(key, None)
        dropped = self._young.pop(key, None)
        if dropped is not None:
            self._young_bytes -= dropped[1]

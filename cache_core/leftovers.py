"""What a flush leaves behind, to be freed in steps. Knows no budget and no clock."""

from cache_core.slots import Slots


class Leftovers:
    """A flushed index and its slots, let go of a little at a time: a million take 100 ms."""

    def __init__(self, index: dict[str, int], slots: Slots) -> None:
        self._index = index
        self._keys = slots.keys
        self._values = slots.values
        self._labels = slots.labels

    def release(self, limit: int) -> int:
        """Let go of up to `limit` slots and return of how many; 0 when none is left."""
        count = min(limit, len(self._values))
        for _ in range(min(count, len(self._index))):
            self._index.popitem()
        del self._values[len(self._values) - count :]
        del self._keys[len(self._keys) - count :]
        for _ in range(min(count, len(self._labels))):
            self._labels.popitem()
        return count


def release(leftovers: list[Leftovers], limit: int) -> int:
    """Let go of up to `limit` slots of all `leftovers`, the last first; return of how many."""
    count = 0
    while leftovers and count < limit:
        released = leftovers[-1].release(limit - count)
        if not released:
            leftovers.pop()
        count += released
    return count

"""The bytes that have come on a connection and can't be taken yet."""

from collections import deque
from typing import Final

_PART_BYTES: Final = 64
"""The bytes that each part takes beside its own."""


class Ahead:
    """Parts of what a client has sent, as they came; `start` is how much of the first is taken.

    `size` is the bytes that all of it takes: a part is let go of once all of it is taken.
    """

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self.start = 0
        self.size = 0

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self._parts)

    @property
    def first(self) -> bytes:
        """The first part, whole."""
        return self._parts[0]

    def append(self, part: bytes) -> None:
        """Add a part that has come."""
        self._parts.append(part)
        self.size += len(part) + _PART_BYTES

    def take(self, end: int) -> None:
        """Let the first part be taken as far as to its `end`."""
        self.start = end
        if end == len(self.first):
            self.start = 0
            self.size -= len(self._parts.popleft()) + _PART_BYTES

    def put_back(self, part: bytes) -> None:
        """Add a part that was taken before all others."""
        if self.start:
            self._parts[0] = self.first[self.start :]
            self.size -= self.start
            self.start = 0
        self._parts.appendleft(part)
        self.size += len(part) + _PART_BYTES

    def clear(self) -> None:
        """Let go of everything."""
        self._parts.clear()
        self.start = self.size = 0

"""How much is unpacked in one turn of an event loop."""

from collections import deque
from collections.abc import Callable
from typing import Final

A_TURN: Final = 1 << 20
"""How many bytes are unpacked in a turn before the rest waits for the next, a few milliseconds."""


class Turns:
    """Shares each turn out among those who unpack, because 4 KiB may unpack to 4 MiB.

    `soon` has a call made in the next turn, as an event loop's `call_soon` does.
    """

    __slots__ = ("_is_due", "_left", "_soon", "_waiting")

    def __init__(self, soon: Callable[[Callable[[], None]], object]) -> None:
        self._soon = soon
        self._left = A_TURN
        self._is_due = False
        self._waiting = deque[Callable[[], None]]()

    @property
    def is_over(self) -> bool:
        """Whether as much was unpacked in this turn as should be."""
        return self._left <= 0

    def spend(self, size: int) -> None:
        """Count `size` bytes that were unpacked in this turn."""
        self._left -= size
        self._come_back()

    def wait(self, then: Callable[[], None]) -> None:
        """Do `then` in a later turn, behind all that waits already."""
        self._waiting.append(then)
        self._come_back()

    def _come_back(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._soon(self._begin)

    def _begin(self) -> None:
        """Begin a turn: do what has waited for it, until it is over as well."""
        self._is_due = False
        self._left = A_TURN
        if self._waiting:
            self._come_back()
        for _ in range(len(self._waiting)):
            if self.is_over:
                return
            self._waiting.popleft()()

"""How long to wait before something that failed is tried again: exponential backoff.

Nothing here is left to chance: the waits are the same each time.
"""

import asyncio


class Backoff:
    """Waits `first` seconds, then twice as long each time, up to `last` seconds.

    Belongs to one task.
    """

    def __init__(self, first: float, last: float) -> None:
        self._first = min(first, last)
        self._last = last
        self._next = self._first

    async def wait(self) -> None:
        """Wait, and longer the next time."""
        await asyncio.sleep(self._next)
        self._next = min(2 * self._next, self._last)

    def reset(self) -> None:
        """Begin anew with the first wait, because a try has succeeded."""
        self._next = self._first

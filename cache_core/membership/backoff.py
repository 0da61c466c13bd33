"""How long to wait before something that failed is tried again."""

import asyncio


class Backoff:
    """Waits `first` seconds, then twice as long each time, up to `last`."""

    def __init__(self, first: float, last: float) -> None:
        self._first = min(first, last)
        self._last = last
        self._next = self._first

    async def wait(self) -> None:
        """Wait, and longer the next time."""
        await asyncio.sleep(self._next)
        self._next = min(2 * self._next, self._last)

    def reset(self) -> None:
        """Begin anew: it has worked."""
        self._next = self._first

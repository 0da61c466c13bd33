"""What a server's connections hold all together, and who is cut off where it is too much."""

import asyncio
from heapq import nlargest
from typing import Final, Protocol

ROOM_SHARE: Final = 16
"""Which part of what all may hold is freed at once."""

MOST_AT_ONCE: Final = 100
"""How many connections are found at once that are to be cut off."""

LEAST_SILENCE: Final = 1.0
"""In seconds; among those who have said something more lately, only what they hold counts."""


class Holder(Protocol):
    """A connection, as far as what it holds is concerned."""

    @property
    def heard(self) -> float:
        """When something last came on it, by the event loop's clock."""

    def cut_off(self, why: str) -> None:
        """End the connection at once, and let go of what it holds."""


class ConnectionMemory:
    """The bytes that a server's connections hold together: `most`, or a little more for a turn.

    Past it the connection is cut off that has held most for longest without a word, and then the
    next, until there is some room. So neither a busy client nor one that has just come pays for
    many that hold a little and say nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[Holder, int] = {}
        self._loop = asyncio.get_running_loop()
        self._is_due = False
        self.total = 0
        """How many bytes they hold, as far as they have said."""

    def hold(self, holder: Holder, size: int) -> None:
        """Count `size` bytes as all that `holder` holds."""
        self.total += size - self._held.get(holder, 0)
        self._held[holder] = size
        if self.total > self._most and not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._relieve)

    def let_go(self, holder: Holder) -> None:
        """Count nothing for `holder` any more."""
        self.total -= self._held.pop(holder, 0)

    def _relieve(self) -> None:
        self._is_due = False
        if self.total <= self._most:
            return
        now = self._loop.time()

        def weight(holder: Holder) -> float:
            return self._held[holder] * max(now - holder.heard, LEAST_SILENCE)

        # To look through 10,000 connections takes 3 ms, and so is done for many that are cut off.
        enough = self._most - self._most // ROOM_SHARE
        while self.total > enough:
            for greediest in nlargest(MOST_AT_ONCE, self._held, key=weight):
                if self.total > enough:
                    self.let_go(greediest)
                    greediest.cut_off(
                        "all connections together hold too much, and this one much of it"
                    )

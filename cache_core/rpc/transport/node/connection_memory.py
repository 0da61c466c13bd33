"""What the connections of a node hold all together, and who is cut off where it is too much."""

import asyncio
from typing import Final, Protocol

CONNECTION_BYTES: Final = 8 * 1024
"""What a connection takes that does nothing; 6.3 KB were measured, without encryption."""

CALL_BYTES: Final = 4 * 1024
"""What a call takes that is under way, beside its messages."""

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
    """The bytes that the connections of a node hold together: `most`, or a little more for a turn.

    Past it the connection is cut off that has held most for longest without a word, and then the
    next, until it is less. So neither a busy client nor one that has just come pays for many that
    hold a little and say nothing.
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
        now = self._loop.time()
        while self.total > self._most:
            greediest = max(self._held, key=lambda one: self._held[one] * self._silence(one, now))
            self.let_go(greediest)
            greediest.cut_off("all connections together hold too much, and this one most")

    def _silence(self, holder: Holder, now: float) -> float:
        return max(now - holder.heard, LEAST_SILENCE)

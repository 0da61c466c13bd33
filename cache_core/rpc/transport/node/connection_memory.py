"""What the connections of a node hold all together, and who is cut off where it is too much."""

import asyncio
from typing import Final, Protocol

CONNECTION_BYTES: Final = 8 * 1024
"""What a connection takes that does nothing; 6.3 KB were measured, without encryption."""

CALL_BYTES: Final = 4 * 1024
"""What a call takes that is under way, beside its messages."""


class Holder(Protocol):
    """A connection, as far as what it holds is concerned."""

    def cut_off(self, why: str) -> None:
        """End the connection at once, and let go of what it holds."""


class ConnectionMemory:
    """The bytes that the connections of a node hold together: `most`, or a little more for a turn.

    Past it the connection that holds most is cut off, and then the next, until it is less.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[Holder, int] = {}
        self._is_due = False
        self.total = 0
        """How many bytes they hold, as far as they have said."""

    def hold(self, holder: Holder, size: int) -> None:
        """Count `size` bytes as all that `holder` holds."""
        self.total += size - self._held.get(holder, 0)
        self._held[holder] = size
        if self.total > self._most and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._relieve)

    def let_go(self, holder: Holder) -> None:
        """Count nothing for `holder` any more."""
        self.total -= self._held.pop(holder, 0)

    def _relieve(self) -> None:
        self._is_due = False
        while self.total > self._most:
            greediest = max(self._held, key=self._held.__getitem__)
            self.let_go(greediest)
            greediest.cut_off("all connections together hold too much, and this one most")

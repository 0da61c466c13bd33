"""A limit on retries, so that a failing cluster is not asked twice as much.

It is Finagle's RetryBudget: a share of the calls, and a reserve. Knows no clock.
"""

from typing import Final

RESERVE: Final = 1_000.0
"""The most retries that are saved up, and how many there are at first.

They are for the calls that are under way when a node dies.
"""

SHARE: Final = 0.2
"""How many retries each call adds."""


class RetryBudget:
    """The retries that are left: a share more with each call, one fewer with each retry."""

    def __init__(self) -> None:
        self._left = RESERVE

    def deposit(self) -> None:
        """Count a call."""
        self._left = min(RESERVE, self._left + SHARE)

    def withdraw(self) -> bool:
        """Tell whether a retry is allowed, and count it if so."""
        if self._left < 1:
            return False
        self._left -= 1
        return True

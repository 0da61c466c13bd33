"""How many retries are allowed, so that a failing cluster is not asked twice as much.

Knows no clock. Finagle's RetryBudget: a share of the calls, and a reserve.
"""

from typing import Final

RESERVE: Final = 1_000.0
"""The most that is saved up, and there at first: for the calls under way when a node dies."""

SHARE: Final = 0.2
"""Retries for each call."""


class RetryBudget:
    """Grows a little with each call and shrinks by one with each retry."""

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

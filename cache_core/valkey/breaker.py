"""A circuit breaker: it spares a store that has failed lately. Knows no task and no own clock."""

from collections.abc import Callable
from typing import Final

FAILURES: Final = 5
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0


class Breaker:
    """Opens after `failures` in a row: it refuses calls, but after a pause lets one at a time try.

    The pause is `first` seconds, by `clock`, and twice as long after each try that fails, up to
    `longest`. A caller that is let through says how its call ended: `succeeded`, `failed` or
    `gave_up`.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        failures: int = FAILURES,
        first: float = FIRST_PAUSE,
        longest: float = LONGEST_PAUSE,
    ) -> None:
        self._clock = clock
        self._failures = failures
        self._first = first
        self._longest = longest
        self._in_a_row = 0
        self._pause = first
        self._until: float | None = None
        self._tried = False
        self.openings = 0
        """How often it has opened from closed."""
        self.refusals = 0
        """How many calls it has refused."""

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, except those that try whether the store is back."""
        return self._until is not None

    def lets_through(self) -> bool:
        """Return whether a call may be made now."""
        if self._until is None:
            return True
        if self._tried or self._clock() < self._until:
            self.refusals += 1
            return False
        self._tried = True
        return True

    def succeeded(self) -> None:
        """Note that a call that was let through was answered: the breaker closes."""
        self._in_a_row = 0
        self._pause = self._first
        self._until = None
        self._tried = False

    def failed(self) -> None:
        """Note that a call that was let through was not answered."""
        self._in_a_row += 1
        if self._until is None:
            if self._in_a_row < self._failures:
                return
            self.openings += 1
        elif self._tried:
            self._pause = min(2 * self._pause, self._longest)
        else:
            return  # a late end of a call that was let through before it opened
        self._until = self._clock() + self._pause
        self._tried = False

    def gave_up(self) -> None:
        """Note that a call that was let through ended early and tells nothing: another may try."""
        self._tried = False

"""How long a node's answers take as a rule. Knows no clock and no calls."""

from typing import Final

LEAST_SECONDS: Final = 0.001
MOST_SECONDS: Final = 0.01
_SHARE: Final = 1 / 8
_DEVIATION_SHARE: Final = 1 / 4


class Pace:
    """Smooths the seconds that answers took, as TCP does its round trips (RFC 6298, section 2)."""

    def __init__(self) -> None:
        self._usual: float | None = None
        self._deviation = 0.0
        self.patience = LEAST_SECONDS
        """Seconds after which an answer that has not come is late, from 1 to 10 ms."""

    def took(self, seconds: float) -> None:
        """Note how long an answer took that the node had at once."""
        if self._usual is None:
            self._usual, self._deviation = seconds, seconds / 2
        else:
            self._deviation += _DEVIATION_SHARE * (abs(seconds - self._usual) - self._deviation)
            self._usual += _SHARE * (seconds - self._usual)
        late = self._usual + 4 * self._deviation
        self.patience = min(max(late, LEAST_SECONDS), MOST_SECONDS)

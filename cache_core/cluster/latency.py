"""The usual time of a node's answers, and how much of it is load. Knows no clock."""

from math import inf
from typing import Final

LEAST_SECONDS: Final = 0.001
MOST_SECONDS: Final = 0.01
_SHARE: Final = 1 / 8
_DEVIATION_SHARE: Final = 1 / 4
_DISTANCE_SHARE: Final = 1 / 65536
"""Should the distance grow, it is learned anew within some hundred thousand answers. By then, load
that never lets up is taken for distance."""


class Latency:
    """Smooths the seconds that answers took, as TCP does its round trips (RFC 6298, section 2).

    The quickest answer's time is the node's distance, as in TCP Vegas; the time that other answers
    take beyond it is load. Load is worth a wait, because keys that are then asked for together cost
    the node less.
    """

    def __init__(self) -> None:
        self._usual: float | None = None
        self._deviation = 0.0
        self._distance = inf
        self.patience = LEAST_SECONDS
        """Seconds to wait for an answer that has not come: from 1 ms, where there is no load, to
        10 ms."""

    def took(self, seconds: float) -> None:
        """Note the `seconds` that an answer took that the node had in memory."""
        if self._usual is None:
            self._usual, self._deviation = seconds, seconds / 2
        else:
            self._deviation += _DEVIATION_SHARE * (abs(seconds - self._usual) - self._deviation)
            self._usual += _SHARE * (seconds - self._usual)
        if seconds < self._distance:
            self._distance = seconds
        else:
            self._distance += _DISTANCE_SHARE * (seconds - self._distance)
        load = self._usual + 4 * self._deviation - self._distance
        self.patience = min(LEAST_SECONDS + max(load, 0.0), MOST_SECONDS)

"""How much that is of no use an end bears from the other: pings, resets, empty frames and such.

One budget for all kinds of floods (CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27316): each
such frame costs, and time and useful work give back. So a client that pings each second, one that
grants its window byte by byte, and one that gives up a call now and then are all borne.
"""

from collections.abc import Callable
from typing import Final

from cache_core.rpc.http2.framing.codes import ConnectionFault, ErrorCode

MOST: Final = 2_000.0
"""What is borne at once."""

A_SECOND: Final = 100.0
"""What a second gives back."""

FOR_WORK: Final = 4.0
"""What a frame of data that is sent, and an answered call, give back.

Data that is taken gives nothing back: whoever gives up a call could send some with it each time.
"""


class Patience:
    """What is left to be borne; `clock` tells seconds, and never goes back."""

    __slots__ = ("_clock", "_left", "_seen")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = MOST
        self._seen = clock()

    def work(self, count: float = 1.0) -> None:
        """Note that something useful was done `count` times."""
        left = self._left + count * FOR_WORK
        self._left = min(MOST, left)

    def bear(self, what: str, cost: float = 1.0) -> None:
        """Bear one more of `what`. Raises ConnectionFault where it is too much."""
        now = self._clock()
        left = min(MOST, self._left + (now - self._seen) * A_SECOND) - cost
        self._seen = now
        self._left = left
        if left < 0:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, f"too many {what}")

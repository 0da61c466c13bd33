"""`grpc-timeout`, the time that a call has left as its caller says it."""

import re
from functools import lru_cache
from math import ceil
from typing import Final

_TIMEOUT: Final = re.compile(rb"([0-9]{1,8})([HMSmun])")
_SECONDS: Final = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}

MOST: Final = 99_999_999
"""The greatest number of 8 digits; more seconds than that, three years, are no deadline."""


@lru_cache(maxsize=1024)
def read_timeout(said: bytes) -> float | None:
    """Return the seconds that `said` means. Raises ValueError where it is no timeout."""
    match = _TIMEOUT.fullmatch(said)
    if match is None:
        raise ValueError("grpc-timeout is no timeout")
    return int(match[1]) * _SECONDS[match[2]]


def write_timeout(seconds: float) -> bytes | None:
    """Return what says `seconds`, in as many of 8 digits as it has; None for no deadline.

    A time that is over is said as the shortest, because a caller has to name one above nothing.
    """
    if seconds * 1e6 <= MOST:
        return b"%du" % max(1, ceil(seconds * 1e6))
    if seconds * 1e3 <= MOST:
        return b"%dm" % ceil(seconds * 1e3)
    return b"%dS" % ceil(seconds) if seconds <= MOST else None

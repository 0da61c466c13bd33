"""How many connections there may be at once, and which goes where there is no room for another."""

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Collection
from enum import Enum, auto
from heapq import nsmallest
from math import inf
from typing import Final, Protocol

if sys.platform != "win32":
    import resource

DEFAULT_MOST: Final = 10_000

OWN_DESCRIPTORS: Final = 256
"""Descriptors that are left for other connections, files and what else there is."""

FOUND_AT_ONCE: Final = 256
"""To look through 10,000 connections takes 3 ms, and so is done for many newcomers."""

LOOK_SECONDS: Final = 1.0
"""How long nobody is looked for after none was found."""

SAY_SECONDS: Final = 60.0
"""At most one line in the log says in so long that the limit is reached."""

REFUSED_AT_ONCE: Final = 100
"""So many connections beyond the limit are told why they are refused; more are dropped."""


class Idler(Protocol):
    """A connection, as far as it may make room."""

    @property
    def idle_since(self) -> float | None:
        """Since when nothing is asked on it, by the loop's clock; None while something is."""

    def shutdown(self) -> None:
        """Close it."""


class Admission(Enum):
    """What becomes of a connection that has just come."""

    ADMITTED = auto()
    REFUSED = auto()
    DROPPED = auto()


class ConnectionLimit:
    """At most `most` connections are served at once; the longest idle one makes room for another.

    There are fewer where the process has not as many descriptors. So connections that do nothing
    shut nobody out. Where none is idle, the newcomer is refused. `say` is told, now and then, that
    it is so.
    """

    def __init__(self, most: int, say: Callable[[str], object]) -> None:
        self._most = min(most, _most_by_descriptors())
        self._say_so = say
        self._loop = asyncio.get_running_loop()
        self._found: deque[tuple[float, Idler]] = deque()
        self._looks_again = 0.0
        self._says_again = 0.0

    def admit(self, newcomer: Idler, connections: Collection[Idler]) -> Admission:
        """Return what becomes of `newcomer`, which is one of `connections` already."""
        if len(connections) <= self._most:
            return Admission.ADMITTED
        idle = self._longest_idle(newcomer, connections)
        self._say(is_idle=idle is not None)
        if idle is not None:
            idle.shutdown()
            return Admission.ADMITTED
        if len(connections) > self._most + REFUSED_AT_ONCE:
            return Admission.DROPPED
        return Admission.REFUSED

    def _longest_idle(self, newcomer: Idler, connections: Collection[Idler]) -> Idler | None:
        idle = self._next_found(newcomer)
        if idle is None and self._loop.time() >= self._looks_again:
            idlers = ((each.idle_since, each) for each in connections)
            idle_ones = ((since, each) for since, each in idlers if since is not None)
            self._found.extend(nsmallest(FOUND_AT_ONCE, idle_ones, key=lambda found: found[0]))
            idle = self._next_found(newcomer)
            if idle is None:
                self._looks_again = self._loop.time() + LOOK_SECONDS
        return idle

    def _next_found(self, newcomer: Idler) -> Idler | None:
        while self._found:
            since, idle = self._found.popleft()
            if idle.idle_since == since and idle is not newcomer:
                return idle
        return None

    def _say(self, *, is_idle: bool) -> None:
        now = self._loop.time()
        if now >= self._says_again:
            self._says_again = now + SAY_SECONDS
            what = "the longest idle are closed for new ones" if is_idle else "new ones are refused"
            self._say_so(
                f"there are {self._most} connections, and max_connections or the limit of "
                f"descriptors allows no more: {what}"
            )


def _most_by_descriptors() -> float:
    if sys.platform == "win32":  # which bounds none
        return inf
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(descriptors - OWN_DESCRIPTORS, OWN_DESCRIPTORS)

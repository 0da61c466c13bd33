"""Figures of a group, as a record: what is counted, not how."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from cache_core.errors import Overloaded
from cache_core.events import Event, LoadFailed, LoadStarted, Miss, StaleHit
from cache_core.value import Answer


class Cause(IntEnum):
    """Why an entry left, or was not let in."""

    EVICTED = 0
    """Others needed its room."""
    EXPIRED = 1
    REPLACED = 2
    """Its key got a new value."""
    REMOVED = 3
    FLUSHED = 4
    REJECTED = 5
    """Its value was larger than an entry may be; it was served and not stored."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache holds (`entries`, `bytes` charged, `capacity`) and what has left it.

    `removals` and `removed_bytes` are by cause, since the start.
    """

    entries: int
    bytes: int
    capacity: int
    removals: Mapping[Cause, int]
    removed_bytes: Mapping[Cause, int]


@dataclass(frozen=True, slots=True)
class GroupStats:
    """Counts since the start; a get is a hit, a stale hit, a negative hit or a miss.

    `stale_errors` of the stale hits were answered since the source failed. `loads` are calls of
    the retriever, `load_errors` those that failed; a NotFound is no failure. `overloads` are
    loads refused since too many were waiting.
    """

    hits: int
    stale_hits: int
    stale_errors: int
    negative_hits: int
    misses: int
    loads: int
    load_errors: int
    overloads: int
    cache: CacheStats
    negatives: CacheStats


class Tally:
    """A hook that counts a group's events. Hits are the cache's to count, see Cache.get."""

    def __init__(self) -> None:
        self.stale_hits = 0
        self.stale_errors = 0
        self.misses = 0
        self.loads = 0
        self.load_errors = 0
        self.overloads = 0

    def __call__(self, event: Event) -> None:
        """Count `event`."""
        match event:
            case StaleHit():
                self.stale_hits += 1
                self.stale_errors += event.answer is Answer.STALE_ERROR
            case Miss():
                self.misses += 1
            case LoadStarted():
                self.loads += 1
            case LoadFailed(error=Overloaded()):
                self.overloads += 1
            case LoadFailed():
                self.load_errors += 1

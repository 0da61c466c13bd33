"""Figures of a group, as a record: what is counted, not how."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


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
class TierStats:
    """What the second tier came to, since the start, for keys that were not held.

    `hits` it had and `misses` it had not; `errors` are calls that it did not answer in time or at
    all; `owed` are the removals that it has still to be told.
    """

    hits: int
    misses: int
    errors: int
    owed: int


@dataclass(frozen=True, slots=True)
class GroupStats:
    """Counts since the start; a get is a hit, a stale hit, a negative hit or a miss.

    `stale_errors` of the stale hits were answered since the source failed. `loads` are calls of
    the retriever, `load_errors` those that failed; a NotFound is no failure. `overloads` are
    loads refused since too many were waiting. `tier` is None where the group has none.
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
    tier: TierStats | None = None

"""The figures of a group, its caches and its second tier, as records. Counts nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class Cause(IntEnum):
    """Why an entry left, or was not let in."""

    EVICTED = 0
    """Other entries needed its room."""
    EXPIRED = 1
    REPLACED = 2
    """Its key got a new value."""
    REMOVED = 3
    FLUSHED = 4
    REJECTED = 5
    """Its value was larger than an entry may be; it was served and not stored."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """A cache's figures: the `entries` held, the `bytes` charged for them, and its `capacity`.

    `removals` counts the entries that have left or were not let in, `removed_bytes` their bytes:
    both by cause, since the start.
    """

    entries: int
    bytes: int
    capacity: int
    removals: Mapping[Cause, int]
    removed_bytes: Mapping[Cause, int]


@dataclass(frozen=True, slots=True)
class TierStats:
    """The second tier's figures since the start, for keys that a node did not hold.

    `hits` counts the keys that the tier had, `misses` those that it lacked, `errors` the look-ups
    and writes that it did not answer in time or at all. `owed` counts the removals that it has
    still to be told of.
    """

    hits: int
    misses: int
    errors: int
    owed: int


@dataclass(frozen=True, slots=True)
class GroupStats:
    """Counts since the start; a get is a hit, a stale hit, a negative hit or a miss.

    `stale_errors` counts the stale hits that were answered because the source failed. `loads`
    counts the keys that the source was asked for, `load_errors` the loads that failed; a NotFound
    is no failure. `overloads` counts the loads that were refused because too many waited. `tier` is
    None where the group has no second tier.
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

"""What an entry is good for at a moment. Pure: knows no clock, no sources and no randomness.

RFC 5861 (stale-while-revalidate, stale-if-error); Vattani, Chierichetti, Lowenstein: Optimal
probabilistic cache stampede prevention (VLDB 2015) for the early refresh.
"""

from dataclasses import dataclass
from enum import Enum, auto
from math import exp, inf
from typing import NamedTuple

from cache_core.memory.entry import Entry
from cache_core.settings import GroupSettings

STEEPNESS = 5.0
"""How fast the chance of an early refresh rises: from 1 in 150 a read to certain."""


class Freshness(Enum):
    """What to do with an entry."""

    FRESH = auto()
    """Answer it."""
    STALE = auto()
    """Answer it and refresh it behind."""
    FALLBACK = auto()
    """Load; answer it only where the source fails."""
    GONE = auto()
    """Load."""


class Expiries(NamedTuple):
    """An entry's soft and hard expiry."""

    soft: float
    hard: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A group's rules, in seconds; `jitter` is a share of the TTL, `ttl` None is for ever."""

    ttl: float | None = None
    jitter: float = 0.0
    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0
    refresh_ahead: float = 0.0

    def expiries(self, now: float, ttl: float | None, chance: float) -> Expiries:
        """Return when a value loaded at `now` expires.

        `ttl` is what the source said is left, if it did, else the group's rule holds. It is
        shortened by up to the jitter's share, by `chance` from 0 to 1.
        """
        ttl = self.ttl if ttl is None else ttl
        if ttl is None:
            return Expiries(inf, inf)
        soft = now + ttl * (1 - self.jitter * chance)
        return Expiries(soft, soft + max(self.stale_while_revalidate, self.stale_if_error))

    def judge(self, entry: Entry | None, now: float) -> Freshness:
        """Return what `entry` is good for at `now`; nothing held is good for nothing."""
        if entry is None or now >= entry.hard:
            return Freshness.GONE
        if now < entry.soft:
            return Freshness.FRESH
        if now < entry.soft + self.stale_while_revalidate:
            return Freshness.STALE
        return Freshness.FALLBACK

    def covers_failure(self, entry: Entry, now: float) -> bool:
        """Tell whether `entry` may be answered at `now` in place of a load that failed."""
        return self.stale_if_error > 0 and now < entry.soft + self.stale_if_error

    def is_due(self, entry: Entry, now: float, chance: float) -> bool:
        """Tell whether a read of the fresh `entry` should refresh it early.

        Within `refresh_ahead` of its expiry, but not in the first half of its life, with a
        probability that rises exponentially towards the end, `chance` being from 0 to 1: a hot
        key is refreshed by one early read.
        """
        left = entry.soft - now
        window = min(self.refresh_ahead, (entry.soft - entry.loaded) / 2)
        return left < window and chance < exp(-STEEPNESS * left / window)


def rules_of(settings: GroupSettings) -> Rules:
    """Return the rules by which a group with these settings judges its entries."""
    return Rules(
        ttl=settings.ttl,
        jitter=settings.jitter,
        stale_while_revalidate=settings.stale_while_revalidate,
        stale_if_error=settings.stale_if_error,
        refresh_ahead=settings.refresh_ahead,
    )

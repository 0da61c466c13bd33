"""How fresh an entry is, and whether a read should refresh it early.

Pure: knows no clock, no sources and no randomness. The rules for stale entries are from RFC 5861
(stale-while-revalidate, stale-if-error). The early refresh is from Vattani, Chierichetti,
Lowenstein: Optimal probabilistic cache stampede prevention (VLDB 2015).
"""

from dataclasses import dataclass
from enum import Enum, auto
from math import exp, inf
from typing import NamedTuple

from cache_core.memory.entry import Entry
from cache_core.settings import GroupSettings
from cache_core.value import Value, left_of

STEEPNESS = 5.0
"""How fast the probability that a read refreshes early rises: from 1 in 150 to certainty."""


class Freshness(Enum):
    """How fresh a key's entry is, by what a get should do with it."""

    FRESH = auto()
    """Answer it."""
    STALE = auto()
    """Answer it and refresh it behind."""
    FALLBACK = auto()
    """Load the key; answer the entry only where the source fails."""
    GONE = auto()
    """Load the key, because it has no entry or an expired one."""


class Expiries(NamedTuple):
    """The times until which an entry is fresh (`soft`) and of any use (`hard`)."""

    soft: float
    hard: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A group's rules of freshness, in seconds; a `ttl` of None never ends.

    `jitter` is the share of the TTL by which chance may shorten it.
    """

    ttl: float | None = None
    jitter: float = 0.0
    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0
    refresh_ahead: float = 0.0

    def expiries(self, now: float, ttl: float | None, chance: float) -> Expiries:
        """Return when a value loaded at `now` expires.

        `ttl` is the seconds that are left as the source said; with None, the group's `ttl` holds.
        Either is shortened by `jitter` times `chance` of it; `chance` is from 0 to 1.
        """
        ttl = self.ttl if ttl is None else ttl
        if ttl is None:
            return Expiries(inf, inf)
        soft = now + ttl * (1 - self.jitter * chance)
        return Expiries(soft, soft + max(self.stale_while_revalidate, self.stale_if_error))

    def taken_over(self, value: Value, giver_ttl: float | None) -> float | None:
        """Return for how many seconds `value`, handed over by another node, is fresh at most.

        That is what is left of its own TTL. The group's counts besides where the value has none,
        and where the group's is shorter than `giver_ttl`, that of the other node's group: infinite
        without end, None where it is not known.
        """
        if self.ttl is None:
            return value.ttl
        is_shorter = giver_ttl is not None and self.ttl < giver_ttl
        return left_of(self.ttl, value) if is_shorter or value.ttl is None else value.ttl

    def judge(self, entry: Entry | None, now: float) -> Freshness:
        """Return how fresh `entry` is at `now`; a key without an entry, None, is GONE."""
        if entry is None or now >= entry.hard:
            return Freshness.GONE
        if now < entry.soft:
            return Freshness.FRESH
        if now < entry.soft + self.stale_while_revalidate:
            return Freshness.STALE
        # Its hard expiry may be that of a longer grace, from before a reload.
        return Freshness.FALLBACK if self.covers_failure(entry, now) else Freshness.GONE

    def covers_failure(self, entry: Entry, now: float) -> bool:
        """Tell whether `entry` may be answered at `now` in place of a load that failed."""
        return self.stale_if_error > 0 and now < entry.soft + self.stale_if_error

    def is_due(self, entry: Entry, now: float, chance: float) -> bool:
        """Tell whether a read of the fresh `entry` should refresh it early.

        It may be due within `refresh_ahead` of its soft expiry, but not in the first half of its
        life. The probability rises exponentially towards the end; `chance`, from 0 to 1, decides.
        So a hot key is refreshed by one early read.
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

"""A group's figures as they are shown, at one node or summed over several. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

from cache_core.messages import GroupInfo
from cache_core.stats import TierStats


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts since the start, and what is held now, of a group at a node, or their sums.

    `hits` are all gets answered from the node's own entries, stale and negative ones included,
    `hot_hits` those from its copies of others' entries. `entries` and `bytes` are of all of these.
    `tier_hits` are loads that the second tier spared the source, `tier_errors` its calls that went
    unanswered, `tier_owed` the removals that it has still to be told.
    """

    entries: int = 0
    bytes: int = 0
    capacity: int = 0
    hits: int = 0
    misses: int = 0
    loads: int = 0
    load_errors: int = 0
    hot_hits: int = 0
    fetches: int = 0
    fetch_errors: int = 0
    tier_hits: int = 0
    tier_errors: int = 0
    tier_owed: int = 0

    @classmethod
    def of(cls, info: GroupInfo) -> Self:
        """Return the figures in `info`, which is a group's at one node."""
        stats, sharing = info.stats, info.sharing
        tier = stats.tier or TierStats(0, 0, 0, 0)
        caches = (stats.cache, stats.negatives, sharing.hot)
        return cls(
            entries=sum(cache.entries for cache in caches),
            bytes=sum(cache.bytes for cache in caches),
            capacity=info.settings.capacity,
            hits=stats.hits + stats.stale_hits + stats.negative_hits,
            misses=stats.misses,
            loads=stats.loads,
            load_errors=stats.load_errors,
            hot_hits=sharing.hot_hits,
            fetches=sharing.fetches,
            fetch_errors=sharing.fetch_errors,
            tier_hits=tier.hits,
            tier_errors=tier.errors,
            tier_owed=tier.owed,
        )

    @classmethod
    def total(cls, parts: Iterable[Self]) -> Self:
        """Return the sum of `parts`."""
        parts = list(parts)
        return cls(
            **{
                field.name: sum(getattr(part, field.name) for part in parts)
                for field in fields(cls)
            }
        )

"""A client's own copies: the near cache. Knows no wire, no nodes and no event loop.

A copy holds for as long as its coverage does: for as long as a node has promised to tell of
removals. It also holds no longer than its owner said. An event that ends many copies at once (a
flush, a coverage that is over) ends the provenance that they share. Such copies are never read
again, and leave when others need their room.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final

from cache_core.client.near_copies import CopiedGroup, Copies, Coverage, Held, Provenance
from cache_core.memory.cache import MAX_HITS, SWEEP_STEP
from cache_core.stats import CacheStats
from cache_core.value import Answer, Terms, Value

SWEEP_BEHIND: Final = 16
"""How many expired copies are freed, at the most, with each copy that is offered."""

CELLS: Final = 4096
"""Keys whose hashes share a cell are fenced together, which may cost one of them a copy."""

MAX_PROVENANCES: Final = 10_000
"""Past that all copies are given up.

Sources that give each value a media type of its own come to so many.
"""


_OVER: Final = Coverage(-inf)


@dataclass(frozen=True, slots=True)
class NearStats:
    """One group's copies: `hits` since the start, `entries` that hold now and their `bytes`."""

    hits: int
    entries: int
    bytes: int


_new: Final = tuple.__new__
_HIT: Final = Answer.HIT  # an Enum's attribute takes as long to look up as a key


class NearCache:
    """Holds copies of nodes' answers in `capacity` bytes; `clock`, in seconds, never goes back."""

    __slots__ = (
        "_columns",
        "_copies",
        "_fence",
        "_fences",
        "_groups",
        "_index",
        "_provenances",
        "clock",
        "mark",
    )

    def __init__(self, capacity: int, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.mark = 0
        """Rises with each removal. A caller notes it when it asks a node, for `offer` later."""
        self._copies = Copies(capacity)
        self._columns = self._copies.columns
        self._index = self._copies.index
        self._groups: dict[str, CopiedGroup] = {}
        self._provenances: dict[tuple[CopiedGroup, Coverage, str | None, Terms], Provenance] = {}
        self._fence = 0
        self._fences = array("Q", bytes(8 * CELLS))

    def peek(self, group: str, key: str) -> Value | None:
        """Return the copy of the key's value, with what is left of its TTL, and count the hit.

        None if there is no copy, or if the copy is stale or not covered any more.
        """
        known = self._groups.get(group)
        if known is None:
            return None
        slot = self._index.get(known.prefix + key)
        if slot is None:
            return None
        columns = self._columns
        now = self.clock()
        soft = columns.soft[slot]
        provenance = columns.provenances[slot]
        if soft <= now or provenance is None or provenance.coverage.until <= now:
            return None
        hits = columns.hits
        if hits[slot] < MAX_HITS:
            hits[slot] += 1
        known.hits += 1
        ttl = None if soft == inf else soft - now
        age = now - columns.loaded[slot]
        data, node, terms = columns.values[slot], provenance.node, provenance.terms
        # As Value(…) would, in a third of the time: making it is a quarter of a hit's time.
        return _new(Value, (data, ttl, age, _HIT, node, terms, False, "", False))

    def hold(self, group: str, key: str) -> Held | None:
        """Return the copy just peeked, to be asked later if it still holds; None without one."""
        known = self._groups.get(group)
        slot = None if known is None else self._index.get(known.prefix + key)
        if slot is None:
            return None
        provenance = self._columns.provenances[slot]
        return None if provenance is None else Held(self._columns, slot, provenance, self.clock)

    def offer(
        self,
        group: str,
        key: str,
        value: Value,
        coverage: Coverage,
        mark: int,
        *,
        replaces: bool = False,
    ) -> bool:
        """Keep a copy of `value`, which has just come; return whether it is kept.

        `coverage` and `mark` are those from before the value was asked for: it is not kept if the
        coverage is over or the key was removed since. A value that may not be copied is not kept
        either. But if it `replaces` earlier answers, it ends the copy of them, kept or not.
        """
        now = self.clock()
        cell = hash(key) & CELLS - 1
        came_too_late = coverage.until <= now or self._fences[cell] > mark or self._fence > mark
        if replaces:
            self.remove(group, key)
        if came_too_late:
            return False
        self._copies.sweep(now, SWEEP_BEHIND)
        if not may_be_copied(value):
            return False
        known = self._groups.get(group)
        if known is None:
            self._groups[group] = known = CopiedGroup(f"{len(self._groups)}:")
        provenance = self._provenance(known, coverage, value.node, value.terms)
        return self._copies.put(known.prefix + key, value, now, provenance)

    def remove(self, group: str, key: str) -> None:
        """Remove the copy of `key`, and keep none of its answers that are under way now."""
        self.mark += 1
        self._fences[hash(key) & CELLS - 1] = self.mark
        known = self._groups.get(group)
        if known is not None:
            self._copies.remove(known.prefix + key)

    def flush(self, group: str) -> None:
        """Remove all copies of the group, and keep none of the answers that are under way now.

        Takes the same time however many copies there are.
        """
        self.mark += 1
        self._fence = self.mark
        known = self._groups.get(group)
        if known is not None:
            self._end(lambda provenance: provenance.group is known)

    def end(self, coverage: Coverage) -> None:
        """End `coverage`, and with it all copies that it covers."""
        coverage.until = -inf
        self._end(lambda provenance: provenance.coverage is coverage)

    def sweep(self, limit: int = SWEEP_STEP) -> int:
        """Free copies that have expired, `limit` at the most; return how many."""
        return self._copies.sweep(self.clock(), limit)

    def stats(self) -> CacheStats:
        """Return the figures of all copies, including those that have ended but still take room."""
        return self._copies.stats()

    def group_stats(self) -> dict[str, NearStats]:
        """Return the figures of each group of which there are or were copies."""
        now = self.clock()
        held = {group: [0, 0] for group in self._groups.values()}
        for provenance in self._provenances.values():
            if provenance.coverage.until > now:
                figures = held[provenance.group]
                figures[0] += provenance.entries
                figures[1] += provenance.bytes
        return {name: NearStats(group.hits, *held[group]) for name, group in self._groups.items()}

    def _provenance(
        self, group: CopiedGroup, coverage: Coverage, node: str | None, terms: Terms
    ) -> Provenance:
        name = (group, coverage, node, terms)
        provenance = self._provenances.get(name)
        if provenance is None:
            if len(self._provenances) >= MAX_PROVENANCES:
                self._end(lambda _: True)
            self._provenances[name] = provenance = Provenance(*name)
        return provenance

    def _end(self, ends: Callable[[Provenance], bool]) -> None:
        """End all copies whose provenance `ends` picks."""
        for name, provenance in list(self._provenances.items()):
            if ends(provenance):
                provenance.coverage = _OVER
                del self._provenances[name]


def may_be_copied(value: Value) -> bool:
    """Return whether a copy of `value` may be kept: it is fresh, and not a copy itself."""
    return (value.ttl is None or value.ttl > 0) and not value.copied

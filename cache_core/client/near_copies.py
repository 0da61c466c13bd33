"""Copies of nodes' answers, in slots: what copies share, and whether one is still held.

Knows no nodes, no removals and no clock but the one it is given.
"""

from collections.abc import Callable
from math import inf
from typing import Final

from cache_core.memory.cache import MAX_HITS, Cache
from cache_core.memory.eviction import POLICIES
from cache_core.memory.slots import RESERVED, Slots, untrack
from cache_core.value import Terms, Value

LARGEST_SHARE: Final = 10
"""No value is copied that is larger than a tenth of the budget."""


class Coverage:
    """The time until which copies hold, by the near cache's clock. Once over, it stays over."""

    __slots__ = ("until",)

    def __init__(self, until: float) -> None:
        self.until = until

    def extend(self, until: float, now: float) -> bool:
        """Hold `until` then, or longer if it did before; return False if it was over at `now`."""
        if self.until <= now:
            return False
        self.until = max(self.until, until)
        return True


class CopiedGroup:
    """A group of which there are or were copies; `prefix` tells its keys from other groups'."""

    __slots__ = ("hits", "prefix")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.hits = 0


class Provenance:
    """What copies have in common: their group, their coverage, the node that answered, its terms.

    `entries` and `bytes` count the copies that share it.
    """

    __slots__ = ("bytes", "coverage", "entries", "group", "node", "terms")

    def __init__(
        self, group: CopiedGroup, coverage: Coverage, node: str | None, terms: Terms
    ) -> None:
        self.group = group
        self.coverage = coverage
        self.node = node
        self.terms = terms
        self.entries = 0
        self.bytes = 0


class Columns(Slots):
    """Slots with a provenance each. Copies share provenances, so that no copy is an object."""

    __slots__ = ("provenances",)

    def __init__(self) -> None:
        super().__init__()
        self.provenances: list[Provenance | None] = [None] * RESERVED
        untrack(self.provenances)

    def assign(self, slot: int, provenance: Provenance) -> None:
        """Give the copy in `slot` its `provenance`, and count it there."""
        self.provenances[slot] = provenance
        provenance.entries += 1
        provenance.bytes += self.weights[slot]

    def resign(self, slot: int) -> None:
        """Take its provenance, if any, from what is in `slot`."""
        provenance, self.provenances[slot] = self.provenances[slot], None
        if provenance is not None:
            provenance.entries -= 1
            provenance.bytes -= self.weights[slot]

    def release(self, slot: int) -> None:
        """Let go of what `slot` holds."""
        self.resign(slot)
        super().release(slot)

    def grow(self) -> int:
        """Add free slots and return one of them."""
        slot = super().grow()
        self.provenances.extend([None] * (len(self.keys) - len(self.provenances)))
        return slot


class Copies(Cache):
    """A cache over columns with provenances; a key is a group's prefix and the key itself."""

    __slots__ = ("columns", "index")

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity, POLICIES["s3fifo"], max_value=capacity // LARGEST_SHARE)
        self.columns = Columns()
        self._use(self.columns)
        self.index = self._index

    def put(self, name: str, value: Value, now: float, provenance: Provenance) -> bool:
        """Hold `value` under `name` in place of what was held there; return whether it is held."""
        slot = self.index.get(name)
        if slot is not None:
            self.columns.resign(slot)
        soft = inf if value.ttl is None else now + value.ttl
        if not self.set(name, value.data, now - value.age, soft, soft):
            return False
        self.columns.assign(self.index[name], provenance)
        return True


class Held:
    """One copy in a near cache, which tells whether it is still held.

    Knows neither when it ends nor for which request it was peeked.
    """

    __slots__ = ("_clock", "_columns", "_data", "_key", "_provenance", "_slot")

    def __init__(
        self, columns: Columns, slot: int, provenance: Provenance, clock: Callable[[], float]
    ) -> None:
        self._columns = columns
        self._slot = slot
        self._provenance = provenance
        self._clock = clock
        # A key that comes anew is another object: that tells copies apart whose short bytes don't.
        self._key = columns.keys[slot]
        self._data = columns.values[slot]

    def touch(self) -> bool:
        """Return whether exactly this copy is still held and covered; if so, count the hit.

        The caller has to know whether it is fresh, by the TTL that `peek` returned.
        """
        columns, slot, provenance = self._columns, self._slot, self._provenance
        if (
            columns.values[slot] is not self._data
            or columns.keys[slot] is not self._key
            or columns.provenances[slot] is not provenance
            or provenance.coverage.until <= self._clock()
        ):
            return False
        hits = columns.hits
        if hits[slot] < MAX_HITS:
            hits[slot] += 1
        provenance.group.hits += 1
        return True

"""The byte-bounded map of one group: the engine. Knows no sources, no event loop and no clock.

Keys lead to slots in parallel columns (see slots.py); a policy orders the slots, and expiry
buckets find those whose time is over.
"""

from collections.abc import Iterator
from math import inf
from typing import Final

from cache_core.memory.entry import Entry
from cache_core.memory.eviction import PolicyFactory
from cache_core.memory.expiry import ExpiryBuckets
from cache_core.memory.slots import RESERVED, Flushed, Slots, release
from cache_core.stats import CacheStats, Cause
from cache_core.value import NO_LABEL, NO_TERMS, Answer, Label, Terms, Value

OVERHEAD: Final = 256
"""Bytes charged for an entry on top of key and value: what the interpreter adds to small ones."""

LABEL_OVERHEAD: Final = 256
"""Bytes charged for an entry's label on top of the label's text."""

SWEEP_STEP: Final = 2_000
"""How many entries one sweep frees at the most, so that it takes less than a millisecond."""

SCAN_STEP: Final = 1_000
"""How many slots each step of `keys_by_hits` looks at."""

MAX_HITS: Final = 3


class Cache:
    """A map from keys to bytes; its entries' weights never sum to more than `capacity` bytes.

    A value of more than `max_value` bytes, or too heavy for the capacity, is not held. Times are by
    any clock of the caller's in seconds that does not go back. `read` returns values with `terms`.
    """

    __slots__ = (
        "_counts",
        "_expires",
        "_expiry",
        "_factory",
        "_flushed",
        "_index",
        "_max_value",
        "_policy",
        "_removed_bytes",
        "_slots",
        "_terms",
        "_touch",
        "bytes",
        "capacity",
        "hits",
    )

    def __init__(
        self, capacity: int, policy: PolicyFactory, *, max_value: int, terms: Terms = NO_TERMS
    ) -> None:
        self.capacity = capacity
        self._terms = terms
        self.hits = 0
        self._max_value = max_value
        self._factory = policy
        self._counts = [0] * len(Cause)
        self._removed_bytes = [0] * len(Cause)
        self._flushed: list[Flushed] = []
        self._expires = False
        self.bytes = 0
        self._index: dict[str, int] = {}
        self._use(Slots())

    def __len__(self) -> int:
        return len(self._index)

    def get(self, key: str, now: float) -> bytes | None:
        """Return the bytes held for `key` if fresh at `now`, and count the hit; else None."""
        slot = self._index.get(key)
        if slot is None:
            return None
        slots = self._slots
        if slots.soft[slot] <= now:
            return None
        self.hits += 1
        # Inlined, because a call of the policy would make a hit take a quarter longer.
        hits = slots.hits
        if hits[slot] < MAX_HITS:
            hits[slot] += 1
        if self._touch is not None:
            self._touch(slot)
        return slots.values[slot]

    def read(self, key: str, now: float, ahead: float = 0.0) -> Value | None:
        """Return the value held for `key` with what is left of its times, and count the hit.

        None if its freshness ends within `ahead` seconds from `now`, or if it is useless at `now`.
        """
        slot = self._index.get(key)
        if slot is None:
            return None
        slots = self._slots
        soft = slots.soft[slot]
        if soft <= now + ahead or slots.hard[slot] <= now:
            return None
        self.hits += 1
        # As in `get`, inlined.
        hits = slots.hits
        if hits[slot] < MAX_HITS:
            hits[slot] += 1
        if self._touch is not None:
            self._touch(slot)
        if slots.labels and slot in slots.labels:
            return self._entry(slot).value(now, Answer.HIT, self._terms)
        ttl = None if soft == inf else soft - now
        loaded = slots.loaded[slot]
        return Value(slots.values[slot], ttl, now - loaded, Answer.HIT, None, self._terms)

    def entry(self, key: str) -> Entry | None:
        """Return the entry of `key`, fresh or not, without counting a read of it."""
        slot = self._index.get(key)
        return None if slot is None else self._entry(slot)

    def set(
        self,
        key: str,
        data: bytes,
        loaded: float,
        soft: float,
        hard: float,
        label: Label = NO_LABEL,
    ) -> bool:
        """Hold `data` for `key` in place of what was held, evicting others to make room.

        The times and the label are as in Entry. Return False if it is refused; then the key has no
        entry any more.
        """
        slots = self._slots
        slot = self._index.get(key)
        charge = (len(key) if key.isascii() else len(key.encode())) + len(data) + OVERHEAD
        if label is not NO_LABEL:
            charge += LABEL_OVERHEAD + len("".join(label).encode())
        if len(data) > self._max_value or charge > self.capacity:
            if slot is not None:
                self._discard(slot, Cause.REPLACED)
            self._counts[Cause.REJECTED] += 1
            self._removed_bytes[Cause.REJECTED] += charge
            return False
        if slot is not None:
            self._policy.forget(slot)
            self._uncharge(slot, Cause.REPLACED)
            slots.hits[slot] = min(slots.hits[slot] + 1, MAX_HITS)
            slots.labels.pop(slot, None)
        if self.bytes + charge > self.capacity:
            self._make_room(charge)
        if slot is None:
            free = slots.free
            self._index[key] = slot = free.pop() if free else slots.grow()
            slots.keys[slot] = key
        slots.values[slot] = data
        slots.weights[slot] = charge
        slots.loaded[slot] = loaded
        if label is not NO_LABEL:
            slots.labels[slot] = label
        self.bytes += charge
        self._policy.admit(slot)
        if hard != inf:
            slots.soft[slot] = soft
            slots.hard[slot] = hard
            self._expiry.add(slot)
            self._expires = True
        return True

    def remove(self, key: str) -> bool:
        """Remove the entry of `key`; return whether there was one."""
        slot = self._index.get(key)
        if slot is None:
            return False
        self._discard(slot, Cause.REMOVED)
        return True

    def flush(self) -> None:
        """Remove all entries, in the same time for any number; `sweep` frees the memory."""
        self._counts[Cause.FLUSHED] += len(self)
        self._removed_bytes[Cause.FLUSHED] += self.bytes
        if not self._index:
            return
        self._flushed.append(Flushed(self._index, self._slots))
        self.bytes, self._index = 0, {}
        self._use(Slots())

    def resize(self, capacity: int) -> None:
        """Hold at most `capacity` bytes from now on, and evict entries at once until that is so.

        A change takes time for each entry held, because all are put in order anew.
        """
        if capacity != self.capacity:
            self.capacity = capacity
            self._make_room(0)
            self._arrange()

    def follow(self, policy: PolicyFactory, *, max_value: int, terms: Terms = NO_TERMS) -> None:
        """Go by these from now on, for what is held too; a new policy takes as long as `resize`."""
        self._max_value, self._terms = max_value, terms
        if policy is not self._factory:
            self._factory = policy
            self._arrange()

    def shorten(self, ttl: float, grace: float) -> Iterator[None]:
        """Shorten the time for which entries are fresh, as ExpiryBuckets.shorten says."""
        self._expires = True
        return self._expiry.shorten(ttl, grace)

    def sweep(self, now: float, limit: int = SWEEP_STEP) -> int:
        """Free entries that have expired at `now` or were flushed, `limit` at the most.

        Return how many were freed, the free slots of what was flushed included; while that is
        not 0, there may be more.
        """
        freed = 0
        for slot in self._expiry.expired(now):
            if freed == limit:
                return freed
            self._discard(slot, Cause.EXPIRED)
            freed += 1
        return freed + release(self._flushed, limit - freed)

    def stats(self) -> CacheStats:
        """Return the figures as they are now."""
        return CacheStats(
            entries=len(self),
            bytes=self.bytes,
            capacity=self.capacity,
            removals={cause: self._counts[cause] for cause in Cause},
            removed_bytes={cause: self._removed_bytes[cause] for cause in Cause},
        )

    def keys_by_hits(self) -> Iterator[list[str]]:
        """Yield the keys held, the most read ones first: a list for each SCAN_STEP slots looked at.

        Lists may be empty. The cache may change between two of them: a key may then be missing,
        have left, or come twice.
        """
        slots = self._slots
        ranks = bytes(slots.hits)
        for rank in range(MAX_HITS, -1, -1):
            for first in range(RESERVED, len(ranks), SCAN_STEP):
                step = slice(first, first + SCAN_STEP)
                held = zip(slots.keys[step], ranks[step], strict=False)
                yield [key for key, hits in held if hits == rank and key]

    def _entry(self, slot: int) -> Entry:
        s = self._slots
        label = s.labels.get(slot, NO_LABEL)
        return Entry(s.values[slot], s.loaded[slot], s.soft[slot], s.hard[slot], label)

    def _make_room(self, charge: int) -> None:
        slots, evict = self._slots, self._policy.evict
        weights, release = slots.weights, slots.release
        room = self.capacity - charge
        held, count = self.bytes, 0
        while held > room:
            slot = evict(charge)
            held -= weights[slot]
            count += 1
            if self._expires and slots.hard[slot] != inf:
                self._expiry.remove(slot)
            del self._index[slots.keys[slot]]
            release(slot)
        self._counts[Cause.EVICTED] += count
        self._removed_bytes[Cause.EVICTED] += self.bytes - held
        self.bytes = held

    def _discard(self, slot: int, cause: Cause) -> None:
        self._policy.forget(slot)
        self._uncharge(slot, cause)
        del self._index[self._slots.keys[slot]]
        self._slots.release(slot)

    def _uncharge(self, slot: int, cause: Cause) -> None:
        slots = self._slots
        charge = slots.weights[slot]
        self.bytes -= charge
        self._counts[cause] += 1
        self._removed_bytes[cause] += charge
        if slots.hard[slot] != inf:
            self._expiry.remove(slot)

    def _use(self, slots: Slots) -> None:
        self._slots = slots
        self._expiry = ExpiryBuckets(slots)
        self._arrange()

    def _arrange(self) -> None:
        """Make a new policy for this capacity, and admit the entries held, in order of arrival."""
        self._policy = self._factory(self._slots, self.capacity)
        self._touch = self._policy.touch
        for slot in self._index.values():
            self._policy.admit(slot)

"""The caches that are measured, each driven by the same loops. Knows no clock."""

from collections import deque
from collections.abc import Callable, MutableMapping, Sequence
from itertools import repeat
from math import inf
from typing import Any, Final, Protocol

import cachebox
import cachetools

from cache_core.memory.cache import Cache
from cache_core.memory.eviction import POLICIES

TTL: Final = 60.0
NAMES: Final = ("gaocache", "gaocache, TTL", "cachetools", "cachebox", "dict")
"""What can be made; `dict` evicts nothing by itself, it is told to drop its oldest key."""


class Contender(Protocol):
    """A cache under measurement."""

    def read(self, keys: Sequence[str]) -> None:
        """Get each key, as an application would."""

    def write(self, keys: Sequence[str], values: Sequence[bytes]) -> None:
        """Set each key to its value, as an application would."""

    def __len__(self) -> int: ...


class Engine:
    """The engine with its default policy and room for so many bytes."""

    def __init__(self, capacity: int, *, ttl: float | None = None) -> None:
        self.cache = Cache(capacity, POLICIES["s3fifo"], max_value=capacity)
        self._ttl = ttl

    def read(self, keys: Sequence[str]) -> None:
        get, now = self.cache.get, 1.0
        for key in keys:
            get(key, now)

    def write(self, keys: Sequence[str], values: Sequence[bytes]) -> None:
        put, now = self.cache.set, 0.0
        # Expiries are spread over ten seconds by jitter, as a group's are.
        times = repeat(inf) if self._ttl is None else spread(self._ttl, len(keys))
        for key, value, until in zip(keys, values, times, strict=False):
            put(key, value, now, until, until)

    def __len__(self) -> int:
        return len(self.cache)


class Library:
    """A mapping with a `get` that evicts by itself."""

    def __init__(self, cache: MutableMapping[str, bytes] | cachebox.LRUCache[str, bytes]) -> None:
        self.cache: Any = cache

    def read(self, keys: Sequence[str]) -> None:
        get = self.cache.get
        for key in keys:
            get(key)

    def write(self, keys: Sequence[str], values: Sequence[bytes]) -> None:
        cache = self.cache
        for key, value in zip(keys, values, strict=True):
            cache[key] = value

    def __len__(self) -> int:
        return len(self.cache)


class Dict(Library):
    """A plain dict that drops its oldest key when full: what no cache on top of it can beat."""

    def __init__(self, entries: int) -> None:
        super().__init__({})
        self._entries = entries
        # The dict's own first key is found by a search past all that were dropped.
        self._order: deque[str] = deque()

    def write(self, keys: Sequence[str], values: Sequence[bytes]) -> None:
        cache, order = self.cache, self._order
        for key, value in zip(keys, values, strict=True):
            if len(cache) >= self._entries:
                del cache[order.popleft()]
            order.append(key)
            cache[key] = value


def contender(name: str, entries: int, key: str, value: bytes) -> Contender:
    """Return an empty cache by its name that holds so many entries like the given one."""
    makers: dict[str, Callable[[], Contender]] = {
        "gaocache": lambda: Engine(entries * charge(key, value)),
        "gaocache, TTL": lambda: Engine(entries * charge(key, value), ttl=TTL),
        "cachetools": lambda: Library(cachetools.LRUCache(entries)),
        "cachebox": lambda: Library(cachebox.LRUCache(entries)),
        "dict": lambda: Dict(entries),
    }
    return makers[name]()


def charge(key: str, value: bytes) -> int:
    """Return the bytes that the engine charges for an entry."""
    probe = Engine(1 << 20)
    probe.write([key], [value])
    return probe.cache.bytes


def spread(ttl: float, count: int) -> list[float]:
    """Return so many expiries, spread over the last sixth of `ttl`."""
    return [ttl - (ttl / 6) * (number % 997) / 997 for number in range(count)]


def keys(first: int, count: int) -> list[str]:
    """Return so many keys of 32 bytes, not in any order, their hashes computed."""
    made = [f"{number * 2654435761 % (1 << 32):032x}" for number in range(first, first + count)]
    for key in made:
        hash(key)
    return made


def values(count: int) -> list[bytes]:
    """Return so many values of 100 bytes, each an object of its own."""
    return [number.to_bytes(100) for number in range(count)]

"""The second tier that all nodes of a run share; a node may be unable to reach it for a while."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from simulation.history import History
from simulation.loop import Process

from cache_core import Value
from cache_core.loading.tier import Looked, TierUnavailable, Written

UNREACHABLE: Final = "tier unreachable"
"""What messages to or from the tier are counted as while it is away."""


class TierWatcher(Protocol):
    """Told of what nodes read in the tier, and write there."""

    def tier_read(self, by: Process, key: str, value: Value) -> None:
        """A node read a value."""

    def tier_written(self, by: Process, value: Value, seconds: float) -> None:
        """A node's value has come, so many seconds after it was sent."""


class Store:
    """What the tier holds: values with the time at which they were put, and a state for each key.

    Nodes whose names are in `unreachable` get TierUnavailable.
    """

    def __init__(
        self, rng: random.Random, history: History, watcher: TierWatcher, *, delay: float
    ) -> None:
        self.unreachable: set[str] = set()
        self.watcher = watcher
        self._rng = rng
        self._history = history
        self._delay = delay
        self._held: dict[str, tuple[float, Value]] = {}
        self._states: dict[str, int] = {}
        self._epoch = 0

    async def travel(self, name: str) -> None:
        """Take as long as a message from or to the node. Raises TierUnavailable."""
        await asyncio.sleep(self._rng.expovariate(1 / self._delay))
        if name in self.unreachable:
            self._history.count(UNREACHABLE)
            raise TierUnavailable("the tier is away")

    def state(self, key: str) -> str:
        return f"{self._epoch}.{self._states.get(key, 0)}"

    def value(self, key: str) -> Value | None:
        """Return the key's value with what is left of its TTL, None if that is nothing."""
        if key not in self._held:
            return None
        then, value = self._held[key]
        passed = asyncio.get_running_loop().time() - then
        if value.ttl is not None and value.ttl <= passed:
            return None
        ttl = None if value.ttl is None else value.ttl - passed
        return value._replace(ttl=ttl, age=value.age + passed)

    def put(self, key: str, written: Written, *, by: Process, since: float) -> None:
        now = asyncio.get_running_loop().time()
        if written.state == self.state(key):
            self._held[key] = (now, written.value)
            self.watcher.tier_written(by, written.value, now - since)

    def remove(self, key: str | None) -> None:
        if key is None:
            self._held.clear()
            self._epoch += 1
        else:
            self._held.pop(key, None)
            self._states[key] = self._states.get(key, 0) + 1


class NodeTier:
    """The Tier of one node."""

    def __init__(self, store: Store, process: Process) -> None:
        self._store = store
        self._process = process
        self._name = process.name

    async def look(self, keys: Sequence[str]) -> Mapping[str, Looked]:
        await self._store.travel(self._name)
        looked = {key: Looked(self._store.value(key), self._store.state(key)) for key in keys}
        await self._store.travel(self._name)
        for key, (value, _) in looked.items():
            if value is not None:
                self._store.watcher.tier_read(self._process, key, value)
        return looked

    async def put(self, entries: Mapping[str, Written]) -> None:
        since = asyncio.get_running_loop().time()
        await self._store.travel(self._name)
        for key, written in entries.items():
            self._store.put(key, written, by=self._process, since=since)
        await self._store.travel(self._name)

    async def remove(self, key: str | None) -> None:
        await self._store.travel(self._name)
        self._store.remove(key)
        await self._store.travel(self._name)

    async def aclose(self) -> None:
        """Do nothing: the store goes on for others."""

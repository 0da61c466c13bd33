"""A second tier in memory, with a clock that a test ticks and a way to break it."""

import asyncio
from collections.abc import Mapping, Sequence

from fakes import FakeClock, FakeSource

from cache_core import Group, GroupSettings, Value
from cache_core.loading.tier import Looked, TierUnavailable, Written


class FakeTier:
    """A Tier over dicts and a clock; `gone` makes every call fail."""

    def __init__(self, clock: FakeClock) -> None:
        self.gone = False
        self.closed = False
        self.looks: list[list[str]] = []
        self.removed: list[str | None] = []
        self.written: list[tuple[str, Value]] = []
        self.taken = asyncio.Event()
        self._clock = clock
        self._held: dict[str, tuple[float, Value]] = {}
        self._states: dict[str, int] = {}
        self._epoch = 0

    async def look(self, keys: Sequence[str]) -> Mapping[str, Looked]:
        self._check()
        self.looks.append(list(keys))
        return {key: Looked(self._value(key), self._state(key)) for key in keys}

    async def put(self, entries: Mapping[str, Written]) -> None:
        self._check()
        for key, (value, state) in entries.items():
            self.written.append((key, value))
            if state == self._state(key):
                self._held[key] = (self._clock(), value)

    async def remove(self, key: str | None) -> None:
        self._check()
        self.removed.append(key)
        self.taken.set()
        if key is None:
            self._held = {}
            self._epoch += 1
        else:
            self._held.pop(key, None)
            self._states[key] = self._states.get(key, 0) + 1

    async def aclose(self) -> None:
        self.closed = True

    def _check(self) -> None:
        if self.gone:
            raise TierUnavailable("the tier is gone")

    def _state(self, key: str) -> str:
        return f"{self._epoch}.{self._states.get(key, 0)}"

    def _value(self, key: str) -> Value | None:
        if key not in self._held:
            return None
        then, value = self._held[key]
        passed = self._clock() - then
        if value.ttl is not None and value.ttl <= passed:
            return None
        ttl = None if value.ttl is None else value.ttl - passed
        return value._replace(ttl=ttl, age=value.age + passed)


def group_at(source: FakeSource, tier: FakeTier, clock: FakeClock, **settings: object) -> Group:
    """A node's group over both."""
    given = GroupSettings.model_validate({"jitter": 0, "ttl": 60, **settings})
    return Group("g", source, given, tier=tier, clock=clock)

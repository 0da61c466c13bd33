"""Sources and tiers for a group to be reloaded with; they tell what they are asked and say."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from fake_tier import FakeTier
from fakes import FakeClock, FakeSource

from cache_core import Value
from cache_core.loading.tier import Looked, Written


class Listener(Protocol):
    """Is told of all that happens at the sources and tiers of one group."""

    clock: FakeClock
    source: "ToldSource"
    tier: "ToldTier | None"
    wrongs: list[str]

    def found(self, key: str, began: float, found: Value | None) -> Value | None:
        """A look-up that began then has found this; return what it is to say."""

    def failed(self, key: str) -> None:
        """A look-up of the key has failed."""

    def offered_by_tier(self, key: str, value: Value | None) -> None:
        """The tier has this for the key."""


class ToldSource(FakeSource):
    """A source that tells `listener` of each look-up; `under_way` are those that run."""

    def __init__(self, listener: Listener, values: dict[str, Value | None]) -> None:
        super().__init__()
        self.values = values
        self.under_way: list[tuple[str, float]] = []
        self._listener = listener

    async def retrieve(self, key: str) -> bytes | Value | None:
        if self.closed or self is not self._listener.source:
            self._listener.wrongs.append("a source is asked that is not the group's any more")
        load = key, self._listener.clock.now
        self.under_way.append(load)
        try:
            found = await super().retrieve(key)
        except ConnectionError:
            self._listener.failed(key)
            raise ConnectionError from None  # one of its own, or its traceback grows for ever
        finally:
            self.under_way.remove(load)
        assert not isinstance(found, bytes)
        return self._listener.found(*load, found)


class ToldTier:
    """A group's own connection to a tier, which must not be used once it is closed."""

    def __init__(self, listener: Listener, store: FakeTier) -> None:
        self.store = store
        self.closed = False
        self._listener = listener

    async def look(self, keys: Sequence[str]) -> Mapping[str, Looked]:
        if self is not self._listener.tier:
            self._listener.wrongs.append("a tier is looked in that is not the group's any more")
        looked = await self._open().look(keys)
        for key, at in looked.items():
            self._listener.offered_by_tier(key, at.value)
        return looked

    async def put(self, entries: Mapping[str, Written]) -> None:
        await self._open().put(entries)

    async def remove(self, key: str | None) -> None:
        await self._open().remove(key)

    async def aclose(self) -> None:
        self.closed = True

    def _open(self) -> FakeTier:
        if self.closed:
            self._listener.wrongs.append("a tier is used after it was closed")
        return self.store

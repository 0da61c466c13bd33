"""A node that a client's watch is on, as a test has it speak."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from fakes import FakeClock, settled

from cache_core import Demand, Value
from cache_core.client.near import NearCache
from cache_core.client.watch import Watch
from cache_core.messages import Notice, Removal
from cache_core.value import Outcome, Then

if TYPE_CHECKING:
    from cache_core.errors import CacheError

TOM = Removal("g", "Tom")
SILENCE = 3.0


class FakeNode:
    """A node that can be watched, whose notices and acknowledgements are the test's."""

    def __init__(self, near: NearCache) -> None:
        self.near = near
        self.streams = 0
        self.error: CacheError | None = None
        self.refuses: CacheError | None = None
        self.acknowledged: list[tuple[str, int, bool]] = []
        """Each acknowledgement, and whether there was a copy of Tom's value then."""
        self.left: list[tuple[str, bool]] = []
        """Each goodbye, and whether there was a copy of Tom's value then."""
        self.gate = asyncio.Event()
        """What acknowledgements wait for."""
        self.gate.set()
        self.exit = asyncio.Event()
        """What goodbyes wait for."""
        self.exit.set()
        self._notices: asyncio.Queue[Notice | None] = asyncio.Queue()

    async def watch(self) -> AsyncGenerator[Notice, None]:
        self.streams += 1
        if self.error is not None:
            raise self.error
        while (notice := await self._notices.get()) is not None:
            yield notice

    async def acknowledge(self, watcher: str, sequence: int) -> None:
        held = self.near.peek("g", "Tom") is not None
        self.acknowledged.append((watcher, sequence, held))
        await self.gate.wait()
        if self.refuses is not None:
            raise self.refuses

    async def leave(self, watcher: str) -> None:
        held = self.near.peek("g", "Tom") is not None
        self.left.append((watcher, held))
        await self.exit.wait()
        if self.refuses is not None:
            raise self.refuses

    async def say(self, sequence: int, *items: Removal, elapsed: float = 0.0) -> None:
        self._notices.put_nowait(Notice("w", sequence, items, SILENCE, elapsed))
        await settled()

    async def end(self) -> None:
        self._notices.put_nowait(None)
        await settled()


class Asker:
    """What asks the node through a watch; answers come when the test says."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.near = NearCache(10**6, clock)
        self.node = FakeNode(self.near)
        self.watch = Watch(self.node, self.near)
        self.outcomes: list[Outcome] = []

    def leave(self, key: str = "Tom", demand: Demand = Demand.ANY) -> Then:
        return self.watch.keeping("g", key, demand, self.outcomes.append)

    async def get(self, data: bytes = b"630", key: str = "Tom") -> None:
        self.leave(key)(Value(data))
        await settled()

    async def cover(self) -> None:
        """Be covered from now on."""
        await self.get()
        await self.node.say(1)

    @property
    def copy(self) -> bytes | None:
        value = self.near.peek("g", "Tom")
        return None if value is None else value.data

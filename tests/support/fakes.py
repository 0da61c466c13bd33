"""Hand-written stand-ins for what a test must steer: sources."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any

from cache_core import Group, GroupSettings, RetrieverFailed, Value


class FakeSource:
    """A Retriever over a dict that records its look-ups and can be held back."""

    def __init__(self, values: Mapping[str, bytes | Value] | None = None) -> None:
        self.values: dict[str, Any] = dict(values or {})
        self.error: Exception | None = None
        self.lookups: list[str] = []
        self.cancelled: list[str] = []
        self.closed = False
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def retrieve(self, key: str) -> bytes | Value | None:
        """Return the value, or raise `error` if there is one, once the gate is open."""
        self.lookups.append(key)
        self.asked.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(key)
            self.left.set()
            raise
        if self.error is not None:
            raise self.error
        return self.values.get(key)

    async def aclose(self) -> None:
        """Remember that it was closed."""
        self.closed = True


SCORES = {"Tom": b"630", "Jack": b"589", "Sam": b"567", "Alice": b"788"}
ALL_BYTES = bytes(range(256))


def scores_source() -> FakeSource:
    """Return a source of the demo's scores and a few keys that are hard to carry."""
    return FakeSource(
        {
            **SCORES,
            "empty": b"",
            "binary": ALL_BYTES,
            "a/b": b"slash",
            "ä": "Ä".encode(),
            "a b": b"space",
            "a+b": b"plus",
            "..": b"dots",
            "%41": b"percent",
            "k" * 1024: b"long",
            "é" * 512: b"long and not ASCII",
        }
    )


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the time it was set to."""
        return self.now

    def tick(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds


async def settled() -> None:
    """Let every task that is ready run until none is."""
    for _ in range(20):
        await asyncio.sleep(0)


def group_of(source: FakeSource, clock: FakeClock, **settings: object) -> Group:
    """A group over `source` by `clock`, whose TTLs chance does not shorten unless asked to."""
    given = GroupSettings.model_validate({"jitter": 0, **settings})
    return Group("g", source, given, clock=clock, rng=random.Random(7))


class BatchSource(FakeSource):
    """A FakeSource that takes many keys at once, each time a look-up in `batches`."""

    def __init__(self, values: Mapping[str, bytes | Value] | None = None) -> None:
        super().__init__(values)
        self.batches: list[list[str]] = []
        self.errors: dict[str, RetrieverFailed] = {}

    async def retrieve_many(
        self, keys: Sequence[str]
    ) -> Mapping[str, bytes | Value | RetrieverFailed]:
        self.batches.append(list(keys))
        self.asked.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += keys
            self.left.set()
            raise
        if self.error is not None:
            raise self.error
        return {key: self.values[key] for key in keys if key in self.values} | self.errors

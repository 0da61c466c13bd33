"""Hand-written stand-ins for what a test must steer: sources."""

import asyncio
from collections.abc import Mapping


class FakeSource:
    """A Retriever over a dict that records its look-ups and can be held back."""

    def __init__(self, values: Mapping[str, bytes] | None = None) -> None:
        self.values = dict(values or {})
        self.lookups: list[str] = []
        self.cancelled: list[str] = []
        self.closed = False
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def retrieve(self, key: str) -> bytes | None:
        """Return the value once the gate is open."""
        self.lookups.append(key)
        self.asked.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(key)
            self.left.set()
            raise
        return self.values.get(key)

    async def aclose(self) -> None:
        """Remember that it was closed."""
        self.closed = True


SCORES = {"Tom": b"630", "Jack": b"589", "Sam": b"567", "Alice": b"788"}
ALL_BYTES = bytes(range(256))

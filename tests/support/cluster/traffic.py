"""Callers who ask a cluster without a pause, and what became of their calls."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cache_core import CacheError, Client


class Traffic:
    """`answered` counts calls; `failed` are errors and wrong values; `slowest` is in seconds."""

    def __init__(self, client: Client, keys: int, *, timeout: float) -> None:
        self.answered = 0
        self.failed: list[str] = []
        self.slowest = 0.0
        self._client = client
        self._keys = keys
        self._timeout = timeout
        self._progress = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds, looking after each call."""
        async with asyncio.timeout(30):
            while not condition():
                self._progress.clear()
                await self._progress.wait()

    async def more(self, calls: int) -> None:
        """Wait until so many more calls have been answered."""
        wanted = self.answered + calls
        await self.until(lambda: self.answered >= wanted)

    async def ask(self, rng: random.Random) -> None:
        """Ask for keys at random, one after the other, for ever."""
        while True:
            key = rng.randrange(self._keys)
            began = time.monotonic()
            try:
                value = await self._client.get("g", str(key), timeout=self._timeout)
            except CacheError as error:
                self.failed.append(f"{key}: {type(error).__name__}: {error}")
            else:
                if value.data != f"v{key}".encode():
                    self.failed.append(f"{key}: {value!r}")
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.answered += 1
            self._progress.set()


@asynccontextmanager
async def traffic(
    client: Client, keys: int, *, timeout: float = 10, callers: int = 16
) -> AsyncIterator[Traffic]:
    """Ask `client` for keys below `keys` within the body, `callers` calls at a time."""
    going = Traffic(client, keys, timeout=timeout)
    rngs = [random.Random(number) for number in range(callers)]
    tasks = [asyncio.create_task(going.ask(rng)) for rng in rngs]
    try:
        yield going
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

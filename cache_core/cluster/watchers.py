"""The watchers that a node tells of removals, and their acknowledgements. Knows no wire.

A watcher that does not acknowledge a removal in time is ended, and is named as not reached. For as
long as it may not have noticed its end, it is named again with every other removal.
"""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import AsyncGenerator
from math import inf
from typing import Final

from cache_core.messages import Notice, Removal

ACK_SECONDS: Final = 0.5
"""How long a removal waits for its acknowledgements."""

ACK_SHARE: Final = 0.75
"""The share of a removal's time to wait for acknowledgements; the rest is for its answer."""

SILENCE_SECONDS: Final = 3.0
"""A watcher that is told nothing for so long is not covered any more."""

HEARTBEAT_SECONDS: Final = SILENCE_SECONDS / 3

MAX_WAITING: Final = 1_024
"""How many notices a watcher may be behind."""


class Watchers:
    """The watchers of one node. Belongs to one event loop, whose time it goes by."""

    def __init__(self) -> None:
        self._watchers: dict[str, _Watcher] = {}
        self._lost: dict[str, float] = {}

    def __len__(self) -> int:
        """Return how many watchers have not ended."""
        return sum(not watcher.ended for watcher in self._watchers.values())

    async def watch(self, name: str) -> AsyncGenerator[Notice, None]:
        """Yield a Notice of each removal from now on; one more comes first, at once and empty.

        An empty one also follows each HEARTBEAT_SECONDS without another. The iterator ends when the
        watcher is no longer waited for; a caller that stops before that closes it. A removal that
        the watcher does not acknowledge names it by `name`.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        watcher = _Watcher(name)
        identity = secrets.token_hex(16)  # whoever knows it can acknowledge
        self._watchers[identity] = watcher
        sequence, items = watcher.beat()
        try:
            while not watcher.ended:
                elapsed = loop.time() - began
                yield Notice(identity, sequence, items, SILENCE_SECONDS, elapsed)
                sequence, items = await watcher.next()
        finally:
            if not watcher.ended:  # its stream broke, and it may not know that yet
                watcher.end()
                self._lose(watcher)
            del self._watchers[identity]

    def leave(self, watcher: str) -> None:
        """End `watcher` without naming it later, because it holds no copies any more."""
        if known := self._watchers.get(watcher):
            known.acknowledge(inf)
            known.end()

    def acknowledge(self, watcher: str, sequence: int) -> None:
        """Note that `watcher` has dropped the copies that it was told of up to `sequence`."""
        if known := self._watchers.get(watcher):
            known.acknowledge(sequence)

    async def notify(
        self, items: tuple[Removal, ...], timeout: float | None = None
    ) -> tuple[str, ...]:
        """Tell all watchers of `items`; return the names of those that may not have heard.

        Returns within ACK_SECONDS, and within three quarters of `timeout` seconds. The names are
        `watcher <name>`. One call does not wait for another.
        """
        watchers = [watcher for watcher in self._watchers.values() if not watcher.ended]
        told = {watcher.tell(items): watcher for watcher in watchers}
        if told:
            limit = inf if timeout is None else ACK_SHARE * timeout
            await asyncio.wait(told, timeout=min(ACK_SECONDS, limit))
        for heard, watcher in told.items():
            if not (heard.done() and heard.result()):
                watcher.end()
                self._lose(watcher)
        self._find()
        return tuple(f"watcher {name}" for name in self._lost)

    def end(self) -> None:
        """End all watchers, and name them for a while: they may not notice that at once."""
        for watcher in self._watchers.values():
            if not watcher.ended:
                watcher.end()
                self._lose(watcher)

    def _lose(self, watcher: "_Watcher") -> None:
        """Name `watcher` as not reached for as long as its copies may hold."""
        self._find()
        self._lost[watcher.name] = asyncio.get_running_loop().time() + SILENCE_SECONDS

    def _find(self) -> None:
        """Forget the lost watchers whose copies can't hold any more."""
        now = asyncio.get_running_loop().time()
        self._lost = {name: until for name, until in self._lost.items() if until > now}


class _Watcher:
    """The notices that one watcher has yet to be told, and those that it has yet to acknowledge."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ended = False
        self._sequence = 0
        self._untold: deque[tuple[int, tuple[Removal, ...]]] = deque()
        self._unheard: deque[tuple[int, asyncio.Future[bool]]] = deque()
        self._woken = asyncio.Event()

    def tell(self, items: tuple[Removal, ...]) -> "asyncio.Future[bool]":
        """Queue `items`; return a future of whether the watcher acknowledged them."""
        heard: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._sequence += 1
        self._untold.append((self._sequence, items))
        self._unheard.append((self._sequence, heard))
        self._woken.set()
        if len(self._untold) > MAX_WAITING:
            self.end()
        return heard

    def beat(self) -> tuple[int, tuple[Removal, ...]]:
        self._sequence += 1
        return self._sequence, ()

    async def next(self) -> tuple[int, tuple[Removal, ...]]:
        """Return the next sequence and items: no items after HEARTBEAT_SECONDS, or at the end."""
        if not self._untold and not self.ended:
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._woken.wait()
        return self._untold.popleft() if self._untold else self.beat()

    def acknowledge(self, sequence: float) -> None:
        while self._unheard and self._unheard[0][0] <= sequence:
            self._unheard.popleft()[1].set_result(True)

    def end(self) -> None:
        self.ended = True
        self._woken.set()
        while self._unheard:
            self._unheard.popleft()[1].set_result(False)

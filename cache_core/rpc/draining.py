"""The calls that a server runs, and how they end when it stops. Knows no gRPC."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Final, Self, TypeVar

from cache_core.errors import PeerUnavailable

T = TypeVar("T")

QUIET_SECONDS: Final = 0.02
"""A server that stops ends its connections once no call has come for so long."""

LAME_DUCK_SECONDS: Final = 0.25
"""The longest wait for that quiet, however many go on calling."""


class RunningCalls:
    """Counts calls, each `with` this around it, and ends those that outlive the grace.

    What holds up no stop, like a stream without end or what is answered at once, goes without.
    """

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._waits: set[asyncio.Timeout] = set()
        self._called = asyncio.Event()
        self._answering = asyncio.Event()
        self._answering.set()

    @property
    def holds_back(self) -> bool:
        """Whether calls are not answered for now: each then has to `come`."""
        return not self._answering.is_set()

    async def come(self) -> None:
        """Note that a call has come, and return once it may be answered."""
        self._called.set()
        await self._answering.wait()

    async def wait(self, answer: Awaitable[T]) -> T:
        """Return what `answer` gives. Raises PeerUnavailable where the server stops first."""
        try:
            async with asyncio.timeout(None) as wait:
                self._waits.add(wait)
                return await answer
        except TimeoutError as error:
            raise PeerUnavailable("the node is stopping") from error
        finally:
            self._waits.discard(wait)

    async def finish(self, grace: float) -> None:
        """Return once no call runs, and after `grace` seconds end those that wait."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), grace)
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            wait.reschedule(now)

    async def hold_back(self) -> None:
        """Answer no more calls; return once none has come for a while, or too many have."""
        self._answering.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAME_DUCK_SECONDS):
                while True:
                    self._called.clear()
                    await asyncio.wait_for(self._called.wait(), QUIET_SECONDS)

    def answer(self) -> None:
        """Answer those that were held back."""
        self._answering.set()

    def __enter__(self) -> Self:
        self._count += 1
        self._idle.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._count -= 1
        if self._count == 0:
            self._idle.set()

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
"""The longest wait for that quiet, however many clients go on calling."""


class RunningCalls:
    """The count of running calls, which also ends the calls that outlive the grace.

    A call that a stop waits for runs inside a `with` of this object. A call that holds up no stop,
    such as a stream without end or a call that is answered at once, needs none.
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
        """Whether a new call has to wait for `come` before it is answered."""
        return not self._answering.is_set()

    async def come(self) -> None:
        """Note that a call has come, and return once it may be answered."""
        self._called.set()
        await self._answering.wait()

    async def wait(self, answer: Awaitable[T]) -> T:
        """Return the result of `answer`. Raises PeerUnavailable where the server stops first."""
        try:
            async with asyncio.timeout(None) as wait:
                self._waits.add(wait)
                return await answer
        except TimeoutError as error:
            raise PeerUnavailable("the node is stopping") from error
        finally:
            self._waits.discard(wait)

    async def finish(self, grace: float) -> None:
        """Wait `grace` seconds at the most until no call runs; then end the calls in `wait`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), grace)
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            wait.reschedule(now)

    async def hold_back(self) -> None:
        """Hold new calls back; return once none has come for QUIET_SECONDS.

        Returns after LAME_DUCK_SECONDS in any case.
        """
        self._answering.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAME_DUCK_SECONDS):
                while True:
                    self._called.clear()
                    await asyncio.wait_for(self._called.wait(), QUIET_SECONDS)

    def answer(self) -> None:
        """Let the calls that were held back be answered."""
        self._answering.set()

    def __enter__(self) -> Self:
        self._count += 1
        self._idle.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._count -= 1
        if self._count == 0:
            self._idle.set()

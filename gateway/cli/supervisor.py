"""Children that are kept running: one that ends is started again, after ever longer pauses."""

import asyncio
from collections.abc import Sequence
from typing import Final

from gateway.cli.children import Child
from gateway.cli.failure import Failure

LONGEST_PAUSE: Final = 30.0
SETTLED_SECONDS: Final = 60.0
"""A child that served for so long is started again at once when it ends."""


class Backoff:
    """How long to wait before a child is started again: 0, 1, 2, 4 … 30 seconds."""

    def __init__(self) -> None:
        self._next = 0.0

    def pause(self, *, served: float) -> float:
        """Return the pause after a child that `served` for so many seconds."""
        pause = 0.0 if served >= SETTLED_SECONDS else self._next
        self._next = min(max(2 * pause, 1.0), LONGEST_PAUSE)
        return pause


class Kept:
    """`gaocache ARGUMENTS`, called `name`, in a process that is started again when it ends.

    `fellows` do its work meanwhile; it may be among them.
    """

    def __init__(self, name: str, arguments: Sequence[str], fellows: Sequence["Kept"] = ()) -> None:
        self.name = name
        self.serves = False
        self._arguments = arguments
        self._fellows = fellows
        self._child: Child | None = None

    async def start(self) -> None:
        """Start it and return once it serves. Raises Failure where it ends before."""
        self._child = await Child.start(self.name, self._arguments)
        self.serves = True

    async def keep(self) -> None:
        """Start it again each time that it ends, and print a line of its end and its return."""
        loop = asyncio.get_running_loop()
        backoff = Backoff()
        while child := self._child:
            began = loop.time()
            await child.wait()
            self.serves = False
            pause = backoff.pause(served=loop.time() - began)
            others = "the others go on, and " if any(kept.serves for kept in self._fellows) else ""
            soon = f" in {pause:g} s" if pause else ""
            print(f"{self.name} {child.ending}; {others}it is started again{soon}", flush=True)
            await self._start_again(pause, backoff)
            print(f"{self.name} serves again", flush=True)

    def hang_up(self) -> None:
        """Send it SIGHUP, if it serves; one that is being started reads all anew by itself."""
        if self.serves and self._child is not None:
            self._child.hang_up()

    async def stop(self, *, grace: float) -> None:
        """End it for good, with `grace` seconds for running calls."""
        if self._child is not None:
            await self._child.stop(grace=grace)

    async def _start_again(self, pause: float, backoff: Backoff) -> None:
        while True:
            await asyncio.sleep(pause)
            try:
                return await self.start()
            except Failure as failure:
                pause = backoff.pause(served=0)
                words = str(failure) or f"{self.name} can't start"  # itself it has said why
                print(f"{words}; it is tried again in {pause:g} s", flush=True)

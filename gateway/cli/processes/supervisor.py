"""Children that are kept running: one that ends is started again, after ever longer pauses."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Final

from gateway.cli.failure import Failure
from gateway.cli.processes.children import Child
from gateway.cli.processes.shared_port import Listener

LONGEST_PAUSE: Final = 30.0
SETTLED_SECONDS: Final = 60.0
"""A child that served for so long is started again at once when it ends."""


class Backoff:
    """The pauses before a child is started again: 0, 1, 2, 4 … 30 seconds."""

    def __init__(self) -> None:
        self._next = 0.0

    def pause(self, *, served: float) -> float:
        """Return the pause after a child that `served` for so many seconds."""
        pause = 0.0 if served >= SETTLED_SECONDS else self._next
        self._next = min(max(2 * pause, 1.0), LONGEST_PAUSE)
        return pause


def _print(line: str) -> None:
    print(line, flush=True)


class Kept:
    """`gaocache ARGUMENTS`, called `name`, in a process that is started again when it ends.

    `fellows` do its work meanwhile; it may be among them. With a `listener` it serves the
    connections that come in there, and is told so by `--socket`. `say` is called with a line each
    time that it ends, can't start or is back.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        fellows: Sequence["Kept"] = (),
        *,
        listener: Listener | None = None,
        say: Callable[[str], object] = _print,
    ) -> None:
        self.name = name
        self.serves = False
        self._arguments = arguments
        self._fellows = fellows
        self._listener = listener
        self._say = say
        self._child: Child | None = None

    async def start(self) -> None:
        """Start it and return once it serves. Raises Failure where it ends before."""
        arguments, descriptors = list(self._arguments), []
        if self._listener is not None:
            descriptor = self._listener.open()
            descriptors.append(descriptor)
            arguments += ["--socket", str(descriptor)]
        self._child = await Child.start(self.name, arguments, descriptors)
        self.serves = True

    async def keep(self) -> None:
        """Start it again each time that it ends, and say that it has ended and that it is back."""
        loop = asyncio.get_running_loop()
        backoff = Backoff()
        while child := self._child:
            began = loop.time()
            await child.wait()
            self.serves = False
            pause = self._give_way(backoff.pause(served=loop.time() - began))
            others = "the others go on, and " if any(kept.serves for kept in self._fellows) else ""
            soon = f" in {pause:g} s" if pause else ""
            self._say(f"{self.name} {child.ending}; {others}it is started again{soon}")
            await self._start_again(pause, backoff)
            self._say(f"{self.name} serves again")

    def hang_up(self) -> None:
        """Send it SIGHUP, if it serves; while it is started it reads the config by itself."""
        if self.serves and self._child is not None:
            self._child.hang_up()

    async def stop(self, *, grace: float) -> None:
        """End it for good, with `grace` seconds for running calls."""
        if self._child is not None:
            await self._child.stop(grace=grace)

    def _give_way(self, pause: float) -> float:
        """Leave new connections to the fellows for the time of `pause`, and return `pause`."""
        if pause and self._listener is not None:
            self._listener.shut()  # else they would wait here for as long
        return pause

    async def _start_again(self, pause: float, backoff: Backoff) -> None:
        while True:
            await asyncio.sleep(pause)
            try:
                return await self.start()
            except Failure as failure:
                pause = self._give_way(backoff.pause(served=0))
                words = str(failure) or f"{self.name} can't start"  # the child itself has said why
                self._say(f"{words}; it is tried again in {pause:g} s")


async def start_all(kept: Iterable[Kept]) -> None:
    """Start all at once and return once they serve. Raises Failure where one does not start."""
    try:
        async with asyncio.TaskGroup() as starting:
            for one in kept:
                starting.create_task(one.start())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors


async def keep_until(
    told: asyncio.Event,
    kept: Iterable[Kept],
    start: Coroutine[object, object, None],
    ready: Callable[[], object],
) -> bool:
    """Await `start`, call `ready`, and keep `kept` running until `told`.

    Return False where `told` was set before they served, else True. Raises what `start` raises.
    """
    stop = asyncio.create_task(told.wait())
    starting = asyncio.create_task(start)
    keeping: list[asyncio.Task[None]] = []
    try:
        await asyncio.wait({stop, starting}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            return False
        starting.result()
        ready()
        keeping += [asyncio.create_task(one.keep()) for one in kept]
        done, _ = await asyncio.wait({stop, *keeping}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stop}:
            task.result()
        return True
    finally:
        tasks = (stop, starting, *keeping)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

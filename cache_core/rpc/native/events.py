"""From pygrpc-native's queue of events to the event loop, in order and in bursts."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import copy_context
from threading import Lock, Thread
from typing import Final, Protocol, TypeAlias

Details: TypeAlias = tuple[tuple[tuple[str, str | bytes], ...], str, float | None]
"""A call's metadata, its caller's address, and how many seconds it has left, None for no end."""

NativeEvent: TypeAlias = tuple[int, int, int, bytes | None, bytes | str | None, Details | None]
"""Kind, call, method, the request, a key that is not used, and details; None for a cancel."""

MOST: Final = 64
"""How many events one turn of the loop takes: others want their turn, too."""


class Queue(Protocol):
    """Where events come from: a NativeGrpcFront."""

    def recv_batch_details(
        self, max_events: int, timeout_ms: int | None = None
    ) -> Sequence[NativeEvent] | None:
        """Return what has come, once something has or the timeout is over; None at the end."""

    def close(self) -> None:
        """Take no more."""


class Events:
    """Hands what comes in `queue` to `take`, in the loop, and tells `ended` when no more will.

    `ended` is told of the error that it ended by, None where the queue was closed. A thread
    waits for the first event after a pause. It hands that over and waits again once the loop has
    taken it and found nothing more; so only one of them takes events at a time, what came first
    is taken first, and a burst costs one change of threads.
    """

    def __init__(
        self,
        queue: Queue,
        take: Callable[[Sequence[NativeEvent]], None],
        ended: Callable[[Exception | None], None],
    ) -> None:
        self._queue = queue
        self._take = take
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()  # as that in which other servers' handlers run
        self._turn = Lock()
        self._turn.acquire()
        self._thread = Thread(target=self._wait, name="gaocache-native", daemon=True)

    def start(self) -> None:
        """Take events from now on."""
        self._thread.start()

    async def join(self) -> None:
        """Return once the thread has ended, after the queue was closed."""
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    def _wait(self) -> None:
        error: Exception | None = None
        try:
            while (events := self._queue.recv_batch_details(MOST)) is not None:
                self._call(self._hand_over, events)
                self._turn.acquire()
        except Exception as caught:  # noqa: BLE001 - it is told, whatever it is
            error = caught
        try:
            self._call(self._ended, error)
        except RuntimeError:  # the loop is closed, so that nobody would answer
            self._queue.close()

    def _call(self, function: Callable[..., None], argument: object) -> None:
        self._loop.call_soon_threadsafe(function, argument, context=self._context)

    def _hand_over(self, events: Sequence[NativeEvent]) -> None:
        try:
            self._take(events)
        finally:
            self._drain()

    def _drain(self) -> None:
        """Take what else has come; with nothing more, it is the thread's turn to wait."""
        events = None
        try:
            events = self._queue.recv_batch_details(MOST, 0)
        finally:  # an error of the queue the thread meets as well, and tells
            if events:
                self._loop.call_soon(self._hand_over, events, context=self._context)
            else:
                self._turn.release()

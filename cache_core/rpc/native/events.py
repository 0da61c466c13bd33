"""The way of events from pygrpc-native's queue to the event loop, in order and in bursts."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import copy_context
from threading import Lock, Thread
from typing import Final, Protocol, TypeAlias

Details: TypeAlias = tuple[tuple[tuple[str, str | bytes], ...], str, float | None]
"""A call's metadata, its client's address, and the seconds it has left, None for no deadline."""

NativeEvent: TypeAlias = tuple[int, int, int, bytes | None, bytes | str | None, Details | None]
"""An event's kind, call and method, then the request, a key that is not used, and the details.

The last three are None where a call is cancelled.
"""

MOST: Final = 64
"""The most events that one turn of the loop takes, so that other tasks have their turn, too."""


class Queue(Protocol):
    """The part of a NativeGrpcFront that events come from."""

    def recv_batch_details(
        self, max_events: int, timeout_ms: int | None = None
    ) -> Sequence[NativeEvent] | None:
        """Return the events that have come, once one has or the time is over; None at the end."""

    def close(self) -> None:
        """End the queue."""


class Events:
    """A pump that hands the events of `queue` to `take`, in the event loop, and calls `ended` last.

    `ended` is given the error that the queue ended by, None where it was closed. A thread waits
    for the first event after a pause, and hands it to the loop. The loop takes it and all that
    follow, until it finds no more; then the thread waits again. So only one of the two takes
    events at a time, they are taken in their order, and a burst costs one change of threads.
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
        self._context = copy_context()  # other servers' handlers run in a copy, too
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
        except Exception as caught:  # noqa: BLE001 - `ended` is told of any error
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
        """Take the events that have come meanwhile; where there are none, let the thread wait."""
        try:
            events = self._queue.recv_batch_details(MOST, 0)
        except Exception:  # noqa: BLE001 - the thread meets it as well, and tells of it
            events = None
        if events:
            self._loop.call_soon(self._hand_over, events, context=self._context)
        else:
            self._turn.release()

"""What waits for a client to read it: no more is made meanwhile, and it does not wait for ever."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Final

from cache_core.connection_memory import ConnectionMemory
from gateway.server.connection.deadline import Deadline

UNSENT_BYTES: Final = 32 * 1024
"""No more is made for a client while more than so much waits for it; that is counted."""

PART_BYTES: Final = 256 * 1024
"""A transport is given no more at once: it lets go of nothing before all of it is sent."""


class Sending:
    """The bytes that a connection's `transport` has not sent yet; they are counted in `memory`.

    A client that takes none of them for `timeout` seconds is cut off, and so is one of those that
    leave most for longest, where all together leave too much.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        timeout: float,
        memory: ConnectionMemory,
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._timeout = timeout
        self._memory = memory
        self._deadline = Deadline(loop, self._look)
        self._left = 0
        self._later: deque[memoryview] = deque()
        """What the transport is not given yet."""
        self._kept = 0
        """The bytes of which those are parts: none of them is freed before the last has gone."""
        self._is_full = False
        self._at_end: Callable[[], object] | None = None
        """What is done once all is with the transport."""
        self._writable = asyncio.Event()
        self._writable.set()
        self.is_paused = False
        """Whether so much waits that no more should be made; it is asked for at each answer."""
        self.heard = 0.0
        """When the client has last taken something of what is counted, by the loop's clock."""
        transport.set_write_buffer_limits(UNSENT_BYTES)

    @property
    def has_unsent(self) -> bool:
        """Whether the client has not taken all that it was sent, as far as that is known."""
        return self._size() > 0

    @property
    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport.is_closing()

    def write(self, data: bytes | memoryview) -> None:
        """Send `data`, in parts where it is large."""
        if self._later or len(data) > PART_BYTES:
            view = memoryview(data)
            parts = range(0, len(view), PART_BYTES)
            self._later.extend(view[first : first + PART_BYTES] for first in parts)
            self._kept += len(view)
            self._stop()
            self._go_on()
        else:
            self._transport.write(data)
        if self.is_paused:
            self._watch()

    def pause(self) -> None:
        """Make no more: the transport holds too much."""
        self._is_full = True
        self._stop()
        self._watch()

    def resume(self) -> None:
        """Go on: the client has read."""
        self._is_full = False
        self._unwatch()
        self._go_on()
        if self._transport.is_closing():  # what is left is not waited for for ever either
            self._watch()

    async def drain(self) -> None:
        """Return once more may be made, or nobody is left to send it to."""
        await self._writable.wait()

    def end_writing(self) -> None:
        """Tell the client that nothing follows, once all is sent, where it can be told."""
        if self._transport.can_write_eof():
            self._then(self._write_eof)

    def close(self) -> None:
        """Close the connection once all is sent."""
        self._then(self._transport.close)
        self._watch()

    def end(self) -> None:
        """Wait for nothing any more: the connection is lost."""
        self._later.clear()
        self._kept = 0
        self._start()
        self._unwatch()
        self._deadline.end()

    def cut_off(self, _: str) -> None:
        """End the connection at once."""
        self._transport.abort()

    def _write_eof(self) -> None:
        with contextlib.suppress(OSError):  # the client has gone, which is not heard of yet
            self._transport.write_eof()

    def _then(self, at_end: Callable[[], object]) -> None:
        if self._later:
            self._at_end = at_end
        else:
            at_end()

    def _go_on(self) -> None:
        while self._later and not self._is_full:
            self._transport.write(self._later.popleft())
        if not (self._later or self._is_full):
            self._kept = 0
        if not self._later and self._at_end is not None:
            at_end, self._at_end = self._at_end, None
            at_end()
            self._watch()
        if not (self._later or self._is_full):
            self._start()

    def _stop(self) -> None:
        self.is_paused = True
        self._writable.clear()

    def _start(self) -> None:
        self.is_paused = False
        self._writable.set()

    def _size(self) -> int:
        return self._transport.get_write_buffer_size() + sum(map(len, self._later))

    def _watch(self) -> None:
        self._left = self._size()
        if self._left:
            self.heard = self._loop.time()
            self._memory.hold(self, max(self._left, self._kept))
            self._deadline.set(self._timeout)

    def _unwatch(self) -> None:
        self._memory.let_go(self)
        self._deadline.unset()

    def _look(self) -> None:
        if self._size() < self._left:
            self._watch()
        else:
            self._transport.abort()

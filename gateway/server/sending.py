"""What waits for a client to read it: no more is made meanwhile, and it does not wait for ever."""

import asyncio

from gateway.server.deadline import Deadline


class Sending:
    """The bytes that a connection's `transport` has not sent yet.

    A client that takes none of them for `timeout` seconds is cut off.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, timeout: float
    ) -> None:
        self._transport = transport
        self._timeout = timeout
        self._deadline = Deadline(loop, self._look)
        self._left = 0
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def is_paused(self) -> bool:
        """Whether so much waits that no more should be made."""
        return not self._writable.is_set()

    def write(self, data: bytes) -> None:
        """Send `data`."""
        self._transport.write(data)

    def pause(self) -> None:
        """Make no more: the transport holds too much."""
        self._writable.clear()
        self._watch()

    def resume(self) -> None:
        """Go on: the client has read."""
        self._writable.set()
        self._deadline.unset()

    async def drain(self) -> None:
        """Return once more may be made, or nobody is left to send it to."""
        await self._writable.wait()

    def close(self) -> None:
        """Close the connection once all is sent."""
        self._transport.close()
        self._watch()

    def end(self) -> None:
        """Wait for nothing any more: the connection is lost."""
        self._writable.set()
        self._deadline.end()

    def _watch(self) -> None:
        self._left = self._transport.get_write_buffer_size()
        if self._left:
            self._deadline.set(self._timeout)

    def _look(self) -> None:
        if self._transport.get_write_buffer_size() < self._left:
            self._watch()
        else:
            self._transport.abort()

"""A connection without sockets, whose ends a test freezes; for virtual time."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

HIGH_WATER: Final = 65_536
"""So many bytes that are not taken pause the writer, where it says no other number."""


class LineEnd(asyncio.Transport):
    """The transport of one of two joined protocols. While `is_frozen`, this end takes nothing."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.is_frozen = False
        self.is_over = False
        self.sent = b""
        """All that its protocol has written."""
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._other = self
        self._untaken = bytearray()
        self._is_closing = False
        self._has_paused = False
        self._high, self._low = HIGH_WATER, HIGH_WATER
        self._reads = True

    def join(self, other: "LineEnd") -> None:
        """Begin: what one end writes, the other takes."""
        self._other, other._other = other, self  # noqa: SLF001 - the other end
        for end in (self, other):
            end._protocol.connection_made(end)  # noqa: SLF001 - both are ends

    def freeze(self) -> None:
        """Take nothing until `thaw`."""
        self.is_frozen = True

    def thaw(self) -> None:
        """Take what was sent meanwhile."""
        self.is_frozen = False
        self._other._pass_on()  # noqa: SLF001 - the other end

    def take(self, size: int) -> None:
        """Take so many bytes of what was sent, though frozen."""
        untaken = self._other._untaken  # noqa: SLF001 - the other end
        data = bytes(untaken[:size])
        del untaken[:size]
        self._loop.call_soon(self._take, data)
        self._other._pass_on()  # noqa: SLF001 - the other end

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.is_over:
            self.sent += data
            self._untaken += data
            self._pass_on()

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self._is_closing = True
        self._pass_on()

    def is_closing(self) -> bool:
        return self._is_closing

    def abort(self) -> None:
        self._untaken.clear()
        self.close()

    def lose(self) -> None:
        """End now, and not in the next turn."""
        self._untaken.clear()
        self._is_closing = self.is_over = True
        self._protocol.connection_lost(None)
        self._loop.call_soon(self._other.abort)

    def pause_reading(self) -> None:
        self._reads = False

    def resume_reading(self) -> None:
        self._reads = True
        self._other._pass_on()  # noqa: SLF001 - the other end

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = HIGH_WATER if high is None else high
        self._low = self._high if low is None else low

    def get_write_buffer_size(self) -> int:
        return len(self._untaken)

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("127.0.0.1", 5) if name == "peername" else default

    def _pass_on(self) -> None:
        other = self._other
        if self._untaken and not other.is_frozen and other._reads and not other._is_closing:  # noqa: SLF001
            data = bytes(self._untaken)
            self._untaken.clear()
            self._loop.call_soon(other._take, data)  # noqa: SLF001 - the other end
        is_full = len(self._untaken) > (self._low if self._has_paused else self._high)
        if is_full != self._has_paused and not self.is_over:
            self._has_paused = is_full
            (self._protocol.pause_writing if is_full else self._protocol.resume_writing)()
        if self._is_closing and not self._untaken and not self.is_over:
            self.is_over = True
            self._loop.call_soon(self._protocol.connection_lost, None)
            if not other._is_closing:  # noqa: SLF001 - the other end
                self._loop.call_soon(other.abort)

    def _take(self, data: bytes) -> None:
        if not self._is_closing:
            self._protocol.data_received(data)

"""Connections to a LaneServer without sockets: its time-outs pass in virtual time."""

import asyncio
from collections import deque
from typing import Any, Final

from lane_server import LaneServer
from raw_http import Connection
from virtual_time import after

PART: Final = 64 * 1024
"""As many bytes as a server is given at once, at the most."""


class VirtualConnection(Connection):
    """A connection to `serving`, which must be used in its event loop alone."""

    def __init__(self, serving: LaneServer) -> None:
        super().__init__("http://x")
        self._reader = asyncio.StreamReader()
        self._pipe = _Pipe(serving.protocol(), self._reader)

    async def __aenter__(self) -> "VirtualConnection":
        self._pipe.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pipe.close()
        await after(0)

    def send(self, data: bytes) -> None:
        self._pipe.bring(data)


class _Pipe(asyncio.Transport):
    """The server's end: what it writes can be read from `answers`."""

    def __init__(self, protocol: asyncio.Protocol, answers: asyncio.StreamReader) -> None:
        super().__init__()
        self._protocol = protocol
        self._answers = answers
        self._coming: deque[bytes] = deque()
        self._is_paused = False
        self._is_closing = False

    def open(self) -> None:
        self._protocol.connection_made(self)

    def bring(self, data: bytes) -> None:
        """Give `data` to the server, as far as it reads."""
        self._coming.extend(data[first : first + PART] for first in range(0, len(data), PART))
        self._deliver()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._is_closing:
            self._answers.feed_data(bytes(data))

    def write_eof(self) -> None:
        self._answers.feed_eof()

    def can_write_eof(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Take them; nothing ever waits here."""

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False
        asyncio.get_running_loop().call_soon(self._deliver)

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._end)

    def abort(self) -> None:
        self.close()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401, ARG002
        return default

    def _deliver(self) -> None:
        while self._coming and not self._is_paused and not self._is_closing:
            self._protocol.data_received(self._coming.popleft())

    def _end(self) -> None:
        self._answers.feed_eof()
        self._protocol.connection_lost(None)

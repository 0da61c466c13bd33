"""Who waits for the answer of a call: for one message, or for a stream of them."""

import asyncio
from collections import deque
from typing import Final

from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.transport.calling import Calling
from cache_core.rpc.transport.way import Way

UNREAD_BYTES: Final = 1 << 20
"""A stream of which so much is unread gets no more of it."""

MOST_UNREAD_BYTES: Final = 1 << 24
"""A stream of which so much is unread is given up: what came before it was paused was packed."""

MESSAGE_BYTES: Final = 64
"""What a message takes beside its bytes."""


class Answer(Calling):
    """Waits for one message by `way`; await `wait`, which gives the call up if it is cancelled."""

    def __init__(self, way: Way, block: bytes, message: bytes) -> None:
        super().__init__(way)
        self._message: bytes | None = None
        self._waiting: asyncio.Future[tuple[bytes, Ended]] = (
            asyncio.get_running_loop().create_future()
        )
        self.call(block, message)

    async def wait(self) -> tuple[bytes, Ended]:
        """Return the message and what its trailers say. Raises Ended."""
        try:
            return await self._waiting
        finally:
            self.give_up()

    def message(self, _call: ClientCall, message: bytes) -> None:
        """Keep the message."""
        if self._message is not None:
            self.give_up()
            words = "the answer has one message, not more"
            self.over(Ended(StatusCode.UNIMPLEMENTED, words))
        self._message = message

    def over(self, end: Ended) -> None:
        """Wake who waits."""
        if self._waiting.done():
            return
        if end.code is not StatusCode.OK:
            self._waiting.set_exception(end)
        elif self._message is None:
            words = "the answer has no message"
            self._waiting.set_exception(Ended(StatusCode.UNIMPLEMENTED, words))
        else:
            self._waiting.set_result((self._message, end))


class Answers(Calling):
    """Reads a stream of messages by `way`, as an iterator; `give_up` ends it before its end."""

    def __init__(self, way: Way, block: bytes, message: bytes) -> None:
        super().__init__(way)
        self._unread: deque[bytes] = deque()
        self._unread_bytes = 0
        self._end: Ended | None = None
        self._waiting: asyncio.Future[None] | None = None
        self.call(block, message)

    def __aiter__(self) -> "Answers":
        return self

    async def __anext__(self) -> bytes:
        """Return the next message. Raises Ended where the call fails."""
        while not self._unread:
            if self._end is not None:
                if self._end.code is StatusCode.OK:
                    raise StopAsyncIteration
                raise self._end
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        message = self._unread.popleft()
        self._unread_bytes -= len(message) + MESSAGE_BYTES
        call = self._made
        if call is not None and call.is_paused and self._unread_bytes * 2 <= UNREAD_BYTES:
            call.go_on()
        return message

    def give_up(self) -> None:
        """Wait for no more of it: what is read from now on ends as CANCELLED."""
        super().give_up()
        if self._end is None:
            self._end = Ended(StatusCode.CANCELLED, "the call was given up")

    def message(self, call: ClientCall, message: bytes) -> None:
        """Keep the message until it is read."""
        self._unread.append(message)
        self._unread_bytes += len(message) + MESSAGE_BYTES
        if self._unread_bytes > MOST_UNREAD_BYTES:  # a few bytes may unpack to as many
            super().give_up()
            self._end = Ended(StatusCode.RESOURCE_EXHAUSTED, "more has come than is read")
        elif self._unread_bytes > UNREAD_BYTES:
            call.is_paused = True
        self._wake()

    def over(self, end: Ended) -> None:
        """Let the iterator end once all is read."""
        self._end = end
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

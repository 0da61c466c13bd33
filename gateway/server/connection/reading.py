"""The reading of a connection: when it pauses, and how long the client may take."""

import asyncio
from collections.abc import Callable
from typing import Final

from gateway.http.limits import Limits
from gateway.server.connection.deadline import Deadline

LINGER_SECONDS: Final = 1.0
"""How long bytes are still read after the last answer: closing at once could destroy it."""

AHEAD_BYTES: Final = 4 * 1024
"""No more is read while so much has come that can't be taken yet.

A transport hands over up to 256,000 bytes at once, so a connection holds 256 KiB at the most.
"""


class Reading:
    """Reads from `transport` within the times of `limits`; `slow` is called once one is over.

    A client that is not read from is not slow.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
        slow: Callable[[], object],
    ) -> None:
        self._transport = transport
        self._limits = limits
        self._deadline = Deadline(loop, slow)
        self._loop = loop
        self._is_on = True
        self._is_receiving = False
        self._left = 0.0
        """How long the request may still take to come, while it is not read."""
        self.receive()

    @property
    def since(self) -> float | None:
        """Since when there is a bound for what comes next; None where there is none."""
        seconds = self._limits.receive_timeout if self._is_receiving else self._limits.keep_alive
        return None if self._deadline.at is None else self._deadline.at - seconds

    def receive(self) -> None:
        """Bound the time of a request that has begun to come, and has no bound yet."""
        if not self._is_receiving:
            self._is_receiving = True
            self._deadline.set(self._limits.receive_timeout)

    def received(self) -> None:
        """Bound nothing: the request has come whole."""
        self._is_receiving = False
        self._deadline.unset()

    def idle(self) -> None:
        """Bound the time until the next request."""
        self._is_receiving = False
        self._deadline.set(self._limits.keep_alive)

    def linger(self) -> None:
        """Read on for LINGER_SECONDS."""
        self.resume(midway=False)
        self._deadline.set(LINGER_SECONDS)

    def pause(self) -> None:
        """Read no more for now."""
        if self._is_on:
            self._is_on = False
            self._transport.pause_reading()
            if self._is_receiving and self._deadline.at is not None:
                self._left = self._deadline.at - self._loop.time()
                self._deadline.unset()

    def resume(self, *, midway: bool) -> None:
        """Read again; `midway` is whether a request has come in part."""
        if not self._is_on:
            self._is_on = True
            self._transport.resume_reading()
            if midway and self._is_receiving:
                self._deadline.set(self._left)

    def renew(self) -> None:
        """Let a request that has not come whole take its whole time once more."""
        self.received()
        self.receive()

    def end(self) -> None:
        """Stop the timer: the connection is lost."""
        self._deadline.end()

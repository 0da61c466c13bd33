"""A call as the client has made it, who made it, and how it ended."""

import logging
from typing import Any, Protocol

from cache_core.rpc.grpc.heads import AnswerHead, Metadata
from cache_core.rpc.grpc.messages import Messages
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.stream import Stream

logger = logging.getLogger("gaocache")


class Ended(Exception):
    """How a call ended: its `code`, its words, and the fields of its trailers.

    `cut` is the value of the field that the answers of GaoCache carry. `was_refused` tells that
    the other end has not looked at the call, `never_left` that it was not even sent.
    """

    def __init__(
        self,
        code: StatusCode,
        words: str,
        metadata: Metadata = (),
        cut: bytes | None = None,
        *,
        was_refused: bool = False,
        never_left: bool = False,
    ) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.metadata = metadata
        self.cut = cut
        self.was_refused = was_refused
        self.never_left = never_left


class Carrier(Protocol):
    """What a call was made on."""

    def consumed(self, call: "ClientCall", size: int) -> None:
        """Let the other end send `size` bytes more of the answer."""

    def give_up(self, call: "ClientCall") -> None:
        """Wait for the answer no longer; the caller is not told of its end."""


class CallListener(Protocol):
    """Who made a call."""

    def message(self, call: "ClientCall", message: bytes, /) -> None:
        """Take a message of the answer."""

    def ended(self, call: "ClientCall", end: Ended, /) -> None:
        """Learn how the call ended; nothing comes of it any more."""


class ClientCall:
    """One call as it was made: its header, its one message, and who made it."""

    session: Carrier | None = None
    """On which connection it was made; None where that has not happened yet."""
    stream: Stream[Any] | None = None
    """Its stream; None while it waits for room on the connection."""
    head: AnswerHead | None = None
    messages: Messages | None = None
    is_paused = False
    """Whether the caller wants no more of the answer for now."""
    owed = 0
    """How many bytes of the answer came while it was paused."""

    def __init__(self, block: bytes, message: bytes, caller: CallListener) -> None:
        self.block = block
        self.message = message
        self.caller = caller

    def take(self, message: bytes) -> None:
        """Pass a message of the answer to the caller; one that fails by it harms no other call."""
        try:
            self.caller.message(self, message)
        except Exception:
            logger.exception("a caller failed by a message of its answer")

    def end(self, end: Ended) -> None:
        """Tell the caller how the call ended; one that fails by it harms no other call."""
        try:
            self.caller.ended(self, end)
        except Exception:
            logger.exception("a caller failed by the end of its call")

    def go_on(self) -> None:
        """Have the other end send more of the answer again, after it was paused."""
        self.is_paused = False
        owed, self.owed = self.owed, 0
        if owed and self.session is not None:
            self.session.consumed(self, owed)

"""Messages with their prefixes: one byte for compression, four for the length."""

import struct
from typing import Final

from cache_core.rpc.grpc.packed import WINDOW_BITS, Packed
from cache_core.rpc.grpc.status import StatusCode, StatusError
from cache_core.rpc.grpc.turns import Turns

PREFIX: Final = struct.Struct(">BI")


def prefixed(message: bytes) -> bytes:
    """Return `message` as it travels, not compressed."""
    return PREFIX.pack(0, len(message)) + message


class Messages:
    """Puts messages together from the data of one stream; none may be over `limit` bytes.

    A message that is too large is refused by its prefix, before its bytes are kept. `encoding` is
    what the stream's header names; `who` begins the words of a refusal, as gRPC says it. What is
    compressed is unpacked within `turns`.
    """

    __slots__ = ("_encoding", "_kept", "_limit", "_packed", "_size", "_turns", "_who", "waits")

    def __init__(self, limit: int, encoding: bytes, who: str, turns: Turns) -> None:
        self._limit = limit
        self._encoding = encoding
        self._who = who
        self._turns = turns
        self._kept = bytearray()
        self._packed: Packed | None = None
        self.waits = False
        """Whether more is to be unpacked: in a later turn, by feeding nothing."""
        self._size = PREFIX.size
        """How many bytes are needed until something can be said."""

    @property
    def held(self) -> int:
        """How many bytes of an unfinished message are kept."""
        return len(self._kept)

    @property
    def taken(self) -> int:
        """How many bytes are kept of it, together with what was unpacked so far."""
        return len(self._kept) + (0 if self._packed is None else self._packed.size)

    def feed(self, data: bytes) -> list[bytes]:
        """Take `data`, and return the messages that are whole with it. Raises StatusError."""
        if len(self._kept) + len(data) < self._size:
            self._kept += data
            return []
        if self._kept:
            data = b"".join((self._kept, data))
        found: list[bytes] = []
        start = 0
        self.waits = False
        self._size = PREFIX.size
        while len(data) - start >= PREFIX.size:
            flag, size = PREFIX.unpack_from(data, start)
            self._check(flag, size)
            end = start + PREFIX.size + size
            if end > len(data):
                self._size = end - start
                break
            message = data[start + PREFIX.size : end]
            whole = self._unpacked(message) if flag else message
            if whole is None:
                self.waits = True
                break
            found.append(whole)
            start = end
        self._kept = bytearray(data[start:])
        return found

    def _check(self, flag: int, size: int) -> None:
        if size > self._limit:
            raise self._too_large(size)
        if flag > 1:
            raise StatusError(StatusCode.INTERNAL, "a message's first byte is neither 0 nor 1")
        if flag and self._encoding not in WINDOW_BITS:
            words = "a message is compressed, but the header names no encoding"
            raise StatusError(StatusCode.INTERNAL, words)

    def _unpacked(self, message: bytes) -> bytes | None:
        """Return what `message` unpacks to, None where that takes another turn.

        Raises StatusError.
        """
        packed = self._packed or Packed(message, self._encoding, self._limit)
        while not packed.is_done:
            if self._turns.is_over:
                self._packed = packed
                return None
            self._turns.spend(packed.step())
        self._packed = None
        if packed.size > self._limit:
            raise self._too_large(packed.size)
        return packed.whole()

    def _too_large(self, size: int) -> StatusError:
        sizes = f"{size} vs. {self._limit}"
        words = f"{self._who}: Received message larger than max ({sizes})"
        return StatusError(StatusCode.RESOURCE_EXHAUSTED, words)

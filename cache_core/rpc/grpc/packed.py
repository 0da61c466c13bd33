"""Compressed messages, and what they unpack to."""

import zlib
from typing import Final

from cache_core.rpc.grpc.status import StatusCode, StatusError

WINDOW_BITS: Final = {b"gzip": zlib.MAX_WBITS | 16, b"deflate": zlib.MAX_WBITS}
"""The encodings that are taken besides identity, as zlib names them."""

ACCEPTED: Final = b"identity,deflate,gzip"

STEP_BYTES: Final = 1 << 18
"""The most that is unpacked in one step, in about a millisecond."""


class Packed:
    """A message of that `encoding` as it is unpacked, step by step, to hardly more than `limit`."""

    __slots__ = ("_error", "_left", "_limit", "_parts", "_unpacking", "is_done", "size")

    def __init__(self, message: bytes, encoding: bytes, limit: int) -> None:
        self._unpacking = zlib.decompressobj(WINDOW_BITS[encoding])
        self._left = message
        self._limit = limit
        self._parts: list[bytes] = []
        self._error: zlib.error | None = None
        self.is_done = False
        """Whether there is nothing left to unpack, or too much."""
        self.size = 0
        """How many bytes it has unpacked to."""

    def step(self) -> int:
        """Unpack some more of it, and return how many bytes of work that was."""
        most = min(STEP_BYTES, self._limit + 1 - self.size)
        try:
            part = self._unpacking.decompress(self._left, most)
        except zlib.error as error:
            self._error = error
            self.is_done = True
            return most
        self._parts.append(part)
        self.size += len(part)
        self._left = self._unpacking.unconsumed_tail
        self.is_done = not self._left or self.size > self._limit
        return len(part)

    def whole(self) -> bytes:
        """Return what it has unpacked to, once that is done.

        Raises StatusError where it is damaged.
        """
        if self._error is not None:
            words = f"a message can't be unpacked: {self._error}"
            raise StatusError(StatusCode.INTERNAL, words) from self._error
        if not self._unpacking.eof or self._unpacking.unused_data:
            raise StatusError(StatusCode.INTERNAL, "a message was packed in part, or is too long")
        return b"".join(self._parts)

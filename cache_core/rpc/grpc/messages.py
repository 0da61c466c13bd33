"""Messages with their prefixes: one byte for compression, four for the length."""

import struct
import zlib
from typing import Final

from cache_core.rpc.grpc.status import StatusCode, StatusError

PREFIX: Final = struct.Struct(">BI")

WINDOW_BITS: Final = {b"gzip": zlib.MAX_WBITS | 16, b"deflate": zlib.MAX_WBITS}
"""The encodings that are taken besides identity, as zlib names them."""

ACCEPTED: Final = b"identity,deflate,gzip"


def prefixed(message: bytes) -> bytes:
    """Return `message` as it travels, not compressed."""
    return PREFIX.pack(0, len(message)) + message


class Messages:
    """Puts messages together from the data of one stream; none may be over `limit` bytes.

    A message that is too large is refused by its prefix, before its bytes are kept. `encoding` is
    what the stream's header names; `who` begins the words of a refusal, as gRPC says it.
    """

    __slots__ = ("_encoding", "_kept", "_limit", "_size", "_who")

    def __init__(self, limit: int, encoding: bytes, who: str) -> None:
        self._limit = limit
        self._encoding = encoding
        self._who = who
        self._kept = bytearray()
        self._size = PREFIX.size
        """How many bytes are needed until something can be said."""

    @property
    def held(self) -> int:
        """How many bytes of an unfinished message are kept."""
        return len(self._kept)

    def feed(self, data: bytes) -> list[bytes]:
        """Take `data`, and return the messages that are whole with it. Raises StatusError."""
        if len(self._kept) + len(data) < self._size:
            self._kept += data
            return []
        if self._kept:
            data = b"".join((self._kept, data))
        found: list[bytes] = []
        start = 0
        self._size = PREFIX.size
        while len(data) - start >= PREFIX.size:
            flag, size = PREFIX.unpack_from(data, start)
            self._check(flag, size)
            end = start + PREFIX.size + size
            if end > len(data):
                self._size = end - start
                break
            message = data[start + PREFIX.size : end]
            found.append(self._unpacked(message) if flag else message)
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

    def _unpacked(self, message: bytes) -> bytes:
        unpacking = zlib.decompressobj(WINDOW_BITS[self._encoding])
        try:
            whole = unpacking.decompress(message, self._limit + 1)
        except zlib.error as error:
            words = f"a message can't be unpacked: {error}"
            raise StatusError(StatusCode.INTERNAL, words) from error
        if len(whole) > self._limit:
            raise self._too_large(len(whole))
        if not unpacking.eof or unpacking.unused_data:
            raise StatusError(StatusCode.INTERNAL, "a message was packed in part, or is too long")
        return whole

    def _too_large(self, size: int) -> StatusError:
        sizes = f"{size} vs. {self._limit}"
        words = f"{self._who}: Received message larger than max ({sizes})"
        return StatusError(StatusCode.RESOURCE_EXHAUSTED, words)

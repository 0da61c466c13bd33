"""A response's bytes as they come, its content coding undone, up to a limit. Does no I/O.

RFC 9110, section 8.4 (content codings); RFC 1952 (gzip).
"""

import zlib
from typing import Final

from cache_core.errors import RetrieverFailed

ACCEPTED: Final = "gzip"
"""The value of Accept-Encoding to send."""

_PLAIN: Final = ("", "identity")
_GZIP: Final = ("gzip", "x-gzip")
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


class Body:
    """The body of a response with the Content-Encoding `coding`, of at most `limit` decoded bytes.

    A compressed body is never decompressed past the limit, however small it came. Raises
    RetrieverFailed for a coding that was not asked for.
    """

    def __init__(self, coding: str, limit: int) -> None:
        self._coding = coding.strip().lower()
        if self._coding not in _PLAIN + _GZIP:
            raise RetrieverFailed("the source's answer has a content coding other than gzip")
        self._limit = limit
        self._left = limit
        self._pieces: list[bytes] = []
        self._member = zlib.decompressobj(_GZIP_WINDOW) if self._coding in _GZIP else None
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes from the wire.

        Raises RetrieverFailed where they are too many, or no valid gzip.
        """
        if self._member is None:
            self._add(chunk)
            return
        while chunk:
            self._begun = True
            if self._member.eof:  # gzip may have several members, one after the other
                self._member = zlib.decompressobj(_GZIP_WINDOW)
            try:
                piece = self._member.decompress(chunk, self._left + 1)
            except zlib.error as error:
                raise RetrieverFailed("the source's answer is no valid gzip") from error
            self._add(piece)
            chunk = self._member.unused_data

    def finish(self) -> bytes:
        """Return the whole body, decoded. Raises RetrieverFailed where gzip ends too early."""
        if self._begun and self._member is not None and not self._member.eof:
            raise RetrieverFailed("the source's answer is no valid gzip, its end is missing")
        return b"".join(self._pieces)

    def _add(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            words = f"the source's answer is larger than max_bytes, {self._limit}"
            raise RetrieverFailed(words)
        self._pieces.append(piece)

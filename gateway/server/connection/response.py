"""The bytes of an answer, made of the parts in which an app sends it. Pure. RFC 9112, 6 and 7.1."""

from gateway.http.fields import Headers
from gateway.http.response_head import STATUS_LINES, checked_lines
from gateway.lane.answer import CLOSE

_WITHOUT_BODY = frozenset({204, 304})


class Response:
    """One answer to a request of `method` and `version`.

    `is_whole` is whether all of it was made. `keeps_alive` is whether another request may follow
    it, which is known once it has begun.
    """

    def __init__(self, method: str, version: str) -> None:
        self._has_body = method != "HEAD"
        self._knows_chunks = version != "1.0"
        self._is_chunked = False
        self._left: int | None = None
        self.has_begun = False
        self.is_whole = False
        self.keeps_alive = False

    def begin(self, status: int, headers: Headers, said: Headers, *, keeps_alive: bool) -> bytes:
        """Return the head, with the server's own headers `said`.

        Where its length is not said, the body goes in chunks; to a client that knows none, the
        connection's end is its end. Raises ValueError for a header that would not be one line.
        """
        written = checked_lines(headers)
        fields = {name.lower(): value for name, value in headers}
        length = fields.get(b"content-length")
        self._left = None if length is None else int(length)
        self._has_body = self._has_body and status not in _WITHOUT_BODY
        framing = b""
        if self._left is None and self._has_body:
            if self._knows_chunks:
                self._is_chunked = True
                framing = b"transfer-encoding: chunked\r\n"
            else:
                keeps_alive = False
        says_close = b"close" in fields.get(b"connection", b"").lower()
        self.keeps_alive = keeps_alive and not says_close
        if not self.keeps_alive and not says_close:
            framing += CLOSE
        self.has_begun = True
        own = checked_lines(said)
        return b"".join((STATUS_LINES[status], own, written, framing, b"\r\n"))

    def body(self, part: bytes | memoryview, *, more: bool) -> bytes | memoryview:
        """Return the bytes that `part` of the body is sent as; without `more` it is the last.

        Raises ValueError where the body has not the length that was said.
        """
        if self._has_body and self._left is not None:
            self._left -= len(part)
            if self._left < 0 or (self._left and not more):
                raise ValueError("the body has not the length that Content-Length says")
        self.is_whole = not more
        if not self._has_body:
            return b""
        if not self._is_chunked:
            return part
        chunk = b"".join((b"%x\r\n" % len(part), part, b"\r\n")) if part else b""
        return chunk if more else chunk + b"0\r\n\r\n"

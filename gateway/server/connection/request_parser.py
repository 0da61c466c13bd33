"""The requests on a connection, read out of its bytes one at a time. Knows no sockets, no clock.

httptools is given no byte behind the request under way, so that requests that are sent ahead cost
nothing but their bytes. RFC 9112, sections 2.2, 3, 5, 6 and 7.1.
"""

import re
from enum import Enum, auto
from typing import Final, NamedTuple

import httptools

from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.http.request_head import (
    headers_too_large,
    malformed,
    read_head,
    target_too_long,
    too_many_headers,
)
from gateway.server.connection.upgraded_body import Body

_EMPTY_LINE: Final = b"\r\n\r\n"
"""The end of each head and of each body in chunks, though not each of these is an end."""

MAX_LENGTH_DIGITS: Final = 20

_OTHER_PROTOCOL: Final = re.compile(rb"[^\r\n]*(?<! HTTP/[0-9]\.[0-9])\r\n")
"""A request's first line that ends in something else, such as RTSP/1.0, which the parser takes."""

_LINE_ENDS: Final = re.compile(rb"[\r\n]*")
_FIELD_BYTES: Final = len(b": \r\n")


class Awaited(Enum):
    """The part of a request that the client is to send next."""

    REQUEST = auto()
    HEAD = auto()
    BODY = auto()


class HttpHead(NamedTuple):
    """A request up to its body; `target` is in origin form or `*`, names are in lower case.

    `keeps_alive` is whether the client lets another request follow.
    """

    method: str
    target: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    keeps_alive: bool

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body: RFC 9110, 10.1.1."""
        expects = (value.lower() for name, value in self.headers if name == b"expect")
        return self.version != "1.0" and b"100-continue" in expects


class RequestPart(NamedTuple):
    """What was read: a head where one has ended, bytes of a body, and whether the request ended.

    `end` is where in the data it ends.
    """

    end: int
    head: HttpHead | None
    body: bytes
    is_whole: bool


class RequestParser:
    """Reads requests within `limits`; `awaited` is what is to come next.

    `target` and `headers` are those of the request that was begun last, as far as they have come.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._head_limit = limits.target_bytes + limits.header_bytes
        self._parser = httptools.HttpRequestParser(self)
        self.awaited = Awaited.REQUEST
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self._field_bytes = 0
        self._unbounded_bytes = 0
        """The bytes of a head, or those since the last byte of a body, that have come."""
        self._first_line = b""
        self._tail = b""
        self._left: int | None = None
        """The bytes of the body that are still to come, where its length was said."""
        self._upgraded = Body(b"")
        """What the head says of the body, where the request asks for an upgrade."""
        self._head: HttpHead | None = None
        self._body: list[bytes] = []
        self._is_whole = False

    def read(self, data: bytes, start: int) -> RequestPart:
        """Read `data` from `start` on, no further than to the end of the request under way.

        Raises Refused for a request that can't be served; nothing may be read after it.
        """
        if self.awaited is Awaited.REQUEST:
            skipped = _LINE_ENDS.match(data, start)
            start = start if skipped is None else skipped.end()
            if start == len(data):
                return RequestPart(start, None, b"", is_whole=False)
        end = self._end_of_piece(data, start)
        self._read_piece(data[start:end])
        part = RequestPart(end, self._head, b"".join(self._body), self._is_whole)
        self._head, self._is_whole = None, False
        self._body.clear()
        return part

    def on_message_begin(self) -> None:
        """Begin a request. Raises Refused where the one before it was thought to be longer."""
        if self._is_whole:
            raise malformed("it should be an HTTP/1.1 request")
        self.awaited = Awaited.HEAD
        self.target, self.headers = b"", []
        self._field_bytes = 0
        self._upgraded, self._left = Body(b""), None

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one behind the body is passed over (RFC 9110, section 6.5.1).

        Raises Refused for one too many, before the next is read.
        """
        if self.awaited is Awaited.BODY:
            return
        if len(self.headers) >= self._limits.header_count:
            raise too_many_headers(self._limits.header_count)
        self._field_bytes += len(name) + len(value) + _FIELD_BYTES
        self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """End the head. Raises Refused."""
        if len(self.target) > self._head_limit:  # shorter ones are the app's to refuse
            raise target_too_long(len(self.target), self._limits.target_bytes)
        if self._field_bytes > self._limits.header_bytes:
            raise headers_too_large(self._limits.header_bytes)
        method, version = self._parser.get_method(), self._parser.get_http_version()
        target, headers = read_head(version, method, self.target, self.headers)
        self.headers = list(headers)
        keeps_alive = version != "1.0" and self._parser.should_keep_alive()
        self._head = HttpHead(method.decode(), target, version, self.headers, keeps_alive)
        lengths = [value for name, value in self.headers if name == b"content-length"]
        if lengths and len(lengths[0]) > MAX_LENGTH_DIGITS:
            raise malformed("Content-Length should be a number of bytes")
        self._left = int(lengths[0]) if lengths else None
        self.awaited = Awaited.BODY
        self._unbounded_bytes = 0
        if self._parser.should_upgrade():
            self._upgraded = Body.of(self.headers)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; the bytes between two parts, or behind the last, are bounded."""
        self._unbounded_bytes = 0
        self._body.append(body)

    def on_message_complete(self) -> None:
        """End a request, unless the parser has passed over its body, which is to come."""
        if self._upgraded.is_to_come:
            return
        self.awaited = Awaited.REQUEST
        self._is_whole = True
        self._tail = b""

    def _end_of_piece(self, data: bytes, start: int) -> int:
        """Return where the request may end, or where `data` does."""
        if self.awaited is Awaited.BODY and self._left is not None:
            end = min(start + self._left, len(data))
            self._left -= end - start
            return end
        for had in (3, 2, 1):  # of an empty line that has begun in the bytes before
            if self._tail.endswith(_EMPTY_LINE[:had]) and data.startswith(_EMPTY_LINE[had:], start):
                return start + len(_EMPTY_LINE) - had
        found = data.find(_EMPTY_LINE, start)
        return len(data) if found < 0 else found + len(_EMPTY_LINE)

    def _read_piece(self, piece: bytes) -> None:
        if self.awaited is Awaited.REQUEST:
            self._unbounded_bytes = 0
            self._first_line = b""
        if not self._first_line.endswith(b"\n") and self.awaited is not Awaited.BODY:
            self._first_line += piece[: piece.find(b"\n") + 1 or None]
            if _OTHER_PROTOCOL.match(self._first_line):
                raise malformed("it should be an HTTP/1.1 request")
        self._unbounded_bytes += len(piece)
        self._tail = (self._tail + piece[-3:])[-3:]
        try:
            while piece:
                piece = self._fed(piece)
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, Refused):
                raise error.__context__ from None
            raise malformed("it should be an HTTP/1.1 request") from error
        except httptools.HttpParserError as error:
            raise malformed("it should be an HTTP/1.1 request") from error
        if self.awaited is not Awaited.REQUEST and self._unbounded_bytes > self._head_limit:
            size, limit = len(self.target), self._limits.target_bytes
            if self.awaited is Awaited.HEAD and size > limit:
                raise target_too_long(size, limit)
            raise headers_too_large(self._limits.header_bytes)

    def _fed(self, piece: bytes) -> bytes:
        """Have `piece` parsed; return what the parser has left of it."""
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            # No upgrade is taken, and so it is a request like any other: RFC 9110, section 7.8.
            if self._upgraded.is_to_come:
                body, self._upgraded = self._upgraded, Body(b"")
                self._parser = body.parser_for(self)
            left: bytes = piece[upgrade.args[0] :]
            return left
        return b""

"""The body of a request that asks for an upgrade, which the parser leaves to the new protocol.

Whoever takes no upgrade has to read it as any other (RFC 9110, section 7.8; RFC 9112, section 6.3),
or else it would be taken for the next request.
"""

from typing import Final, NamedTuple, Protocol, Self

import httptools

from gateway.http.fields import Headers

_FRAMING: Final = (b"content-length", b"transfer-encoding")


class RequestTaker(Protocol):
    """Who is told of requests, as httptools does it."""

    def on_message_begin(self) -> None:
        """Learn that a request begins."""

    def on_url(self, url: bytes, /) -> None:
        """Take a part of its target."""

    def on_header(self, name: bytes, value: bytes, /) -> None:
        """Take one of its headers."""

    def on_headers_complete(self) -> None:
        """Learn that its head has ended."""

    def on_body(self, body: bytes, /) -> None:
        """Take a part of its body."""

    def on_message_complete(self) -> None:
        """Learn that it has ended."""


class Body(NamedTuple):
    """The length of a body, as `framing`: the header lines that tell it; empty where it is none."""

    framing: bytes

    @classmethod
    def of(cls, headers: Headers) -> Self:
        """Return the body of a request with these headers, whose names are in lower case."""
        fields = [field for field in headers if field[0] in _FRAMING]
        return cls(b"".join(b"%b: %b\r\n" % field for field in fields))

    @property
    def is_to_come(self) -> bool:
        """Whether there is one, of no bytes perhaps."""
        return bool(self.framing)

    def parser_for(self, taker: RequestTaker) -> httptools.HttpRequestParser:
        """Return a parser that goes on with the body, and then with the requests behind it."""
        begun = _Begun(taker)
        parser = httptools.HttpRequestParser(begun)
        parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % self.framing)
        begun.has_head = True
        return parser


class _Begun:
    """Passes on what the parser tells, but for the head that was made up for it."""

    def __init__(self, taker: RequestTaker) -> None:
        self.has_head = False
        self._taker = taker
        self.on_body = taker.on_body
        self.on_message_complete = taker.on_message_complete

    def on_message_begin(self) -> None:
        if self.has_head:
            self._taker.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self.has_head:
            self._taker.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.has_head:
            self._taker.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.has_head:
            self._taker.on_headers_complete()

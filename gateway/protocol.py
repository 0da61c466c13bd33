"""uvicorn's HTTP protocol, but what is no HTTP request is answered with a problem, unlogged."""

import asyncio
from typing import Any, Final
from urllib.parse import quote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from gateway import problems
from gateway.limits import Limits
from gateway.problems import Refused
from gateway.raw_target import shortened, target_too_long

_URI_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]"


class Protocol(HttpToolsProtocol):
    """One connection; `lost` is set whenever one has ended.

    Anybody can send garbage, so it makes no line in the log.
    """

    url: bytes

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
        lost: asyncio.Event,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""  # uvicorn has none before a request begins
        self._limits = limits
        self._lost = lost

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._lost.set()

    def data_received(self, data: bytes) -> None:
        """Take what the client sent: requests, or what is answered 400 or 414 and hung up on."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # the request was answered without: RFC 9110, section 7.8
        except httptools.HttpParserError:
            self._refuse()

    def _refuse(self) -> None:
        size = len(self.url)
        if size > self._limits.target_bytes:
            refused = target_too_long(size, self._limits.target_bytes)
        else:
            refused = Refused(400, "malformed-request", "it should be an HTTP/1.1 request")
        instance = shortened(quote(self.url.partition(b"?")[0], safe=_URI_CHARACTERS))
        response = problems.answer(refused, instance)
        headers = (
            *self.server_state.default_headers,
            *response.raw_headers,
            (b"connection", b"close"),
        )
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        status_line = STATUS_LINE[response.status_code]
        self.transport.write(b"".join((status_line, lines, b"\r\n", response.body)))
        self.transport.close()

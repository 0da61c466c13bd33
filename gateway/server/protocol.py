"""uvicorn's HTTP protocol, but a request that can't be served is answered with a problem.

Such a request is malformed, too large or too slow. It is answered in its turn, after the requests
that came before it. It is not logged, and the connection ends with it. RFC 9112.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final
from urllib.parse import quote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from gateway.http import problems
from gateway.http.fields import Headers, lines
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.http.request_head import (
    SERVER,
    headers_too_large,
    malformed,
    read_head,
    shortened,
    target_too_long,
    too_many_headers,
    too_slow,
)
from gateway.middleware.answered import Answered
from gateway.server.upgraded_body import Body

LINGER_SECONDS: Final = 1.0
"""How long bytes are still read after a refusal: closing at once could destroy the answer."""

_URI_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]"
_FIELD_BYTES: Final = len(b": \r\n")


class _Awaited(Enum):
    """The part of a request that the client is to send next."""

    REQUEST = auto()
    HEAD = auto()
    BODY = auto()


class Protocol(HttpToolsProtocol):
    """One connection; `lost` is set when it has ended, and `answered` counts its refusals.

    `on_refusal` returns the headers that a refusal has beside its own, by those of the request.
    A refusal makes no line in the log, because anybody can send garbage.
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
        answered: Answered,
        on_refusal: Callable[[Headers], Headers] = lambda _: (),
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""  # uvicorn has none before a request begins
        self._limits = limits
        self._lost = lost
        self._answered = answered
        self._on_refusal = on_refusal
        self._head_limit = limits.target_bytes + limits.header_bytes
        self._awaited = _Awaited.REQUEST
        self._field_bytes = 0
        self._head_bytes = 0
        self._unanswered: deque[RequestResponseCycle] = deque()
        self._refused: Refused | None = None
        self._body = Body(b"")
        """What the head says of the body, where the request asks for an upgrade."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether every request that has begun is answered, and another may come."""
        return (
            self._awaited is _Awaited.REQUEST
            and not self._unanswered
            and self._refused is None
            and not self.transport.is_closing()
        )

    def stand_by(self) -> None:
        """Stop the timers until data comes again: the caller answers the next request itself."""
        self._unset_keepalive_if_required()
        self._unset_timer()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Wait for the first request, but not for ever."""
        super().connection_made(transport)
        self._set_timer(self._limits.receive_timeout, self._time_out)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn does so only where nothing was wrong
        for cycle in self._unanswered:  # uvicorn tells the newest alone, which may be queued
            _give_up(cycle)
        self._unset_timer()
        self._lost.set()

    def data_received(self, data: bytes) -> None:
        """Take bytes of requests from the client; refuse a request that can't be served."""
        if self._refused is not None:
            return
        self._unset_keepalive_if_required()
        self._head_bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError as error:
            self._refuse(_said(error))
        except httptools.HttpParserError:
            self._refuse(malformed("it should be an HTTP/1.1 request"))
        else:
            self._go_on_waiting()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._body = Body(b"")
        super().on_message_begin()
        self._awaited = _Awaited.HEAD
        self._field_bytes = self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one behind the body is passed over (RFC 9110, section 6.5.1).

        Raises Refused for one too many, before the next is read.
        """
        if self._awaited is _Awaited.BODY:
            return
        if len(self.headers) >= self._limits.header_count:
            raise too_many_headers(self._limits.header_count)
        self._field_bytes += len(name) + len(value) + _FIELD_BYTES
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer the request, its target in origin form. Raises Refused."""
        if len(self.url) > self._head_limit:  # shorter ones are the app's to refuse
            raise target_too_long(len(self.url), self._limits.target_bytes)
        if self._field_bytes > self._limits.header_bytes:
            raise headers_too_large(self._limits.header_bytes)
        method, version = self.parser.get_method(), self.parser.get_http_version()
        target, self.headers[:] = read_head(version, method, self.url, self.headers)
        self.url = b"/" if target == SERVER.encode() else target  # uvicorn knows no `*`
        super().on_headers_complete()
        if target == SERVER.encode():
            self.scope["path"], self.scope["raw_path"] = SERVER, target
        self._unanswered.append(self.cycle)
        self._awaited = _Awaited.BODY
        self._head_bytes = 0
        if self.parser.should_upgrade():
            self._body = Body.of(self.headers)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; the bytes between two parts, or behind the last, are bounded."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request, unless the parser has passed over its body, which is to come."""
        if self._body.is_to_come:
            return
        super().on_message_complete()
        self._awaited = _Awaited.REQUEST
        self._unset_timer()

    def on_response_complete(self) -> None:
        """Go on with the next request, or with the refusal that came after the last."""
        self._unanswered.popleft()
        if self._timer is not None and self.flow.read_paused:  # it is read from again only now
            self._unset_timer()
            self._set_timer(self._limits.receive_timeout, self._time_out)
        super().on_response_complete()
        if self._refused is not None and not self._unanswered:
            self._answer(self._refused)

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # No upgrade is taken, and so it is a request like any other: RFC 9110, section 7.8.
                data = data[upgrade.args[0] :]
                if self._body.is_to_come:
                    body, self._body = self._body, Body(b"")
                    self.parser = body.parser_for(self)
            else:
                return

    def _go_on_waiting(self) -> None:
        """Refuse a request that is too large already, or else bound the time for its rest."""
        limits = self._limits
        if self._awaited is _Awaited.HEAD:
            if self._head_bytes > self._head_limit:
                size, limit = len(self.url), limits.target_bytes
                self._refuse(
                    target_too_long(size, limit)
                    if size > limit
                    else headers_too_large(limits.header_bytes)
                )
                return
        elif self._awaited is _Awaited.BODY:
            if self._head_bytes > self._head_limit:
                self._refuse(headers_too_large(self._limits.header_bytes))
                return
        elif self._unanswered:
            return
        if self._timer is None:
            self._set_timer(limits.receive_timeout, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        if self._awaited is _Awaited.REQUEST:
            self.transport.close()
        elif self.flow.read_paused:  # it is not the client that is slow
            self._set_timer(self._limits.receive_timeout, self._time_out)
        else:
            self._refuse(too_slow(self._limits.receive_timeout))

    def _refuse(self, refused: Refused) -> None:
        """Answer `refused` once its turn has come, and read no more."""
        self._unset_timer()
        self._refused = refused
        if self._awaited is _Awaited.BODY:
            if self.pipeline and self.pipeline[0][0] is self.cycle:
                self.pipeline.popleft()
            elif self.cycle.response_started:
                self.cycle.keep_alive = False
                if self.cycle.response_complete:
                    self.transport.close()
                return
            else:
                _give_up(self.cycle)
            self._unanswered.pop()
        if not self._unanswered:
            self._answer(refused)

    def _answer(self, refused: Refused) -> None:
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        instance = shortened(quote(self.url.partition(b"?")[0], safe=_URI_CHARACTERS))
        response = problems.answer(refused, instance)
        self._answered.count(response.status_code)
        more = self._on_refusal(() if self._awaited is _Awaited.REQUEST else self.headers)
        said = (*self.server_state.default_headers, *response.raw_headers, *more, CLOSE_HEADER)
        status_line = STATUS_LINE[response.status_code]
        self.transport.write(b"".join((status_line, lines(said), b"\r\n", response.body)))
        self.transport.write_eof()
        self._set_timer(LINGER_SECONDS, self.transport.abort)

    def _set_timer(self, seconds: float, then: Callable[[], object]) -> None:
        self._timer = self.loop.call_later(seconds, then)

    def _unset_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _said(error: httptools.HttpParserCallbackError) -> Refused:
    """Return the refusal that a callback raised."""
    if isinstance(error.__context__, Refused):
        return error.__context__
    return malformed("it should be an HTTP/1.1 request")


def _give_up(cycle: RequestResponseCycle) -> None:
    """Tell the app that nobody waits for its answer."""
    cycle.disconnected = True
    cycle.message_event.set()

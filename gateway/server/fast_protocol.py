"""The short way for plain GETs: read, asked and answered here, without ASGI and without a task.

All other bytes go unchanged to `protocol`, which also handles slow, rare and wrong requests.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.server import ServerState

from cache_core.value import Outcome, Value
from gateway.http.problems import Refused
from gateway.lane.answer import AnswerForm
from gateway.lane.lane import KEPT_BODY_BYTES, Copy, Known, Lane
from gateway.middleware.running import draining
from gateway.routes.off_loop import OFF_LOOP_BYTES
from gateway.server.protocol import Protocol


class _Request(NamedTuple):
    """A request that waits for its answer; `data` is the whole of it."""

    data: bytes
    known: Known


class FastLane(asyncio.Protocol):
    """One connection: plain GETs that come alone are the lane's, all else is its Protocol's.

    `inner` makes that Protocol, and takes the arguments that uvicorn gives a protocol. One request
    is answered at a time; the bytes that come behind it are held back until then.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        lane: Lane,
        inner: Callable[..., Protocol],
    ) -> None:
        self.transport: asyncio.Transport
        self._inner = inner(config, server_state, app_state, _loop)
        self._state = server_state
        self._loop = self._inner.loop
        self._keep_alive = config.timeout_keep_alive
        self._lane = lane
        self._is_writable = True
        self._has_turn = False
        """Whether the lane was the last to answer, so that the inner protocol stands by."""
        self._is_ready = False
        """Whether, besides, the lane has nothing left to answer, and the client reads."""
        self._request: _Request | None = None
        self._give_up: Callable[[], object] = _nothing
        self._behind: deque[bytes] = deque()
        self._behind_bytes = 0
        self._is_shut_down = False
        self._answered_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Take the inner protocol's place among the server's connections."""
        self.transport = transport
        self._inner.connection_made(transport)
        self._state.connections.discard(self._inner)
        self._state.connections.add(self)  # type: ignore[arg-type] # it is only shut down

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the request that waits: the client is gone."""
        if self._request is not None:
            self._give_up()
            self._done()
        self._behind.clear()
        self._behind_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
        self._state.connections.discard(self)
        self._inner.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """Take a client that closes its sending side for gone, as the inner protocol does."""
        self._inner.eof_received()
        return None

    def pause_writing(self) -> None:
        """Leave a client that does not read to the inner protocol."""
        self._is_writable = self._is_ready = False
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Answer the client again."""
        self._is_writable = True
        self._inner.resume_writing()

    def shutdown(self) -> None:
        """Close the connection, once the requests that have come are answered.

        Called by the server.
        """
        if self._request is None and not self._behind:
            self._inner.shutdown()
        else:
            self._is_shut_down = True

    def end(self) -> None:
        """Answer the request that still waits with 503: the gateway ends."""
        self._give_up()
        self._answer(draining())

    def data_received(self, data: bytes) -> None:
        """Answer a plain GET, pass other bytes on, or hold them back behind a request."""
        if self._is_ready:
            written = self._lane.again(data, self._state.default_headers)
            if written is not None:
                self.transport.write(written)
                self._answered()
                return
        if self._request is not None or self._behind:
            self._hold_back(data)
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        """Answer `data` if it is a plain GET and nothing else is under way; else pass it on."""
        known = None
        if self._is_writable and (self._has_turn or self._inner.is_idle):
            known = self._lane.read(data)
        if known is None:
            self._hand_over(data)
            return
        if not self._has_turn:
            self._inner.stand_by()
            self._has_turn = True
        self._ask(data, known)

    def _hand_over(self, data: bytes) -> None:
        self._has_turn = self._is_ready = False
        self._inner.data_received(data)

    def _hold_back(self, data: bytes) -> None:
        """Keep `data`, which came behind the request; stop reading from a client that goes on."""
        self._behind.append(data)
        self._behind_bytes += len(data)
        if self._behind_bytes > HIGH_WATER_LIMIT:
            self._inner.flow.pause_reading()

    def _ask(self, data: bytes, known: Known) -> None:
        """Get the value from a near copy or from a node, and answer."""
        self._is_ready = False
        self._request = request = _Request(data, known)
        copy = self._lane.near(known)
        if copy is not None:
            self._settle(copy.value, copy)
            return
        self._lane.running.begin(self)
        deadline = self._loop.time() + known.plain.timeout
        pending = self._lane.ask(known, deadline, self._settle)
        if self._request is request and self._give_up is _nothing:  # it is still to be answered
            self._give_up = pending.give_up

    def _settle(self, outcome: Outcome, copy: Copy | None = None) -> None:
        """Answer the request with its `outcome`; with a large value once its form is made."""
        request = self._request
        if (
            request is not None
            and isinstance(outcome, Value)
            and len(outcome.data) > OFF_LOOP_BYTES
            and self._lane.remembered_form(request.known, outcome) is None
        ):
            self._lane.running.begin(self)
            self._give_up = self._loop.create_task(self._settle_large(request, outcome)).cancel
        else:
            self._answer(outcome, copy=copy)

    async def _settle_large(self, request: _Request, value: Value) -> None:
        try:
            form = await self._lane.form(request.known, value)
        except Exception:  # noqa: BLE001 - as below
            self._loop.call_soon(self._hand_back, request)
        else:
            self._answer(value, form)

    def _answer(
        self, outcome: Outcome, form: AnswerForm | Refused | None = None, copy: Copy | None = None
    ) -> None:
        request = self._request
        if request is None or self.transport.is_closing():
            return
        said = self._state.default_headers
        close = self._is_shut_down and not self._behind
        try:
            head, body = self._lane.write(*request, outcome, form, said=said, close=close)
        except Exception:  # noqa: BLE001 - the inner way fails as well, and answers and logs that
            self._loop.call_soon(self._hand_back, request)
            return
        if len(body) <= KEPT_BODY_BYTES:
            written = head + body
            self.transport.write(written)
            if copy is not None:
                self._lane.keep(request.known, copy, written, said)
        else:
            self.transport.write(head)
            self.transport.write(body)
        self._done()
        self._answered()
        self._go_on()

    def _hand_back(self, request: _Request) -> None:
        """Let the inner protocol answer a request that the lane can't, unless it is ended."""
        if self._request is request:
            self._done()
            self._hand_over(request.data)
            self._go_on()

    def _done(self) -> None:
        self._request = None
        self._give_up = _nothing
        self._lane.running.finish(self)

    def _answered(self) -> None:
        """Count the answer, and wait for the next request for as long as uvicorn does."""
        self._state.total_requests += 1
        self._is_ready = self._is_writable and not self._behind
        self._answered_at = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._keep_alive, self._time_out)

    def _go_on(self) -> None:
        """Take the bytes that came behind the request, or end where the server is stopping."""
        if self._behind:
            # Not now: this may be called while another request's error is handled.
            self._loop.call_soon(self._take_behind)
        elif self._is_shut_down:
            self.shutdown()

    def _take_behind(self) -> None:
        if self._request is not None or not self._behind:
            return
        self._inner.flow.resume_reading()  # the lane alone can have paused it
        while self._behind and self._request is None and not self.transport.is_closing():
            data = self._behind.popleft()
            self._behind_bytes -= len(data)
            self._take(data)
        if self._is_shut_down:
            self.shutdown()

    def _time_out(self) -> None:
        """Hang up on a client that asks nothing; one timer serves, however many requests come."""
        self._timer = None
        if not self._has_turn or self._request is not None:
            return
        left = self._answered_at + self._keep_alive - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._time_out)
        elif not self.transport.is_closing():
            self.transport.close()


def _nothing() -> None:
    """Do nothing: there is nothing to give up."""

"""One connection of HTTP/1.1: its requests in their order, one at a time, and their answers.

A plain GET is the fast lane's, all else is the app's, and what can't be served is refused with a
problem; the connection ends with that. RFC 9112.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from cache_core.connection_limit import Admission
from gateway.http.fields import Headers
from gateway.http.problems import Refused
from gateway.http.request_head import too_many_connections, too_slow
from gateway.server.connection.exchange import Exchange, scope_of
from gateway.server.connection.http_service import HttpService
from gateway.server.connection.lane_exchange import LaneExchange
from gateway.server.connection.reading import AHEAD_BYTES, Reading
from gateway.server.connection.request_intake import RequestIntake
from gateway.server.connection.request_parser import RequestPart
from gateway.server.connection.sending import Sending

COST_A_TURN: Final = 512
"""Others are served after so many pieces of bodies; a request costs as much as REQUEST_COST."""

REQUEST_COST: Final = 32


class HttpConnection(asyncio.Protocol):
    """A connection, made with the arguments that uvicorn gives to a protocol, and the `service`.

    One that only closes its sending side is answered; one that is reset is not.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        service: HttpService,
    ) -> None:
        if not config.loaded:
            config.load()
        self.transport: asyncio.Transport
        self._app = config.loaded_app
        self._app_state = app_state
        self._state = server_state
        self._connections = cast("set[HttpConnection]", server_state.connections)
        self._service = service
        self._loop = _loop or asyncio.get_running_loop()
        self._intake = RequestIntake(service.limits, service.lane)
        self._sending: Sending
        self._reading: Reading
        self._lane = service.lane
        self._lane_exchange: LaneExchange | None = None
        self._exchange: Exchange | LaneExchange | None = None
        """The exchange that is not answered yet."""
        self._is_ready = False
        """Whether the lane may answer with a kept answer whatever comes next."""
        self._is_advancing = False
        self._is_shut_down = False
        self._has_eof = False
        self._is_over = False
        """Whether nothing that comes is taken any more."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Wait for the first request, but not for ever."""
        self.transport = transport
        timeout, memory = self._service.limits.send_timeout, self._service.memory
        self._sending = Sending(transport, self._loop, timeout, memory)
        if self._lane is not None:
            lane, budget = self._lane, self._service.budget
            self._lane_exchange = LaneExchange(self, self._sending, lane, budget)
        self._connections.add(self)
        self._reading = Reading(transport, self._loop, self._service.limits, self._time_out)
        self._is_ready = self._lane is not None
        match self._service.limit.admit(self, self._connections):
            case Admission.REFUSED:
                self._refuse(too_many_connections())
            case Admission.DROPPED:
                transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        """Give up the request under way: the client is gone."""
        self._is_ready, self._is_over = False, True
        if self._exchange is not None:
            self._exchange.hang_up()
            self._exchange = None
        self._intake.clear()
        self._reading.end()
        self._sending.end()
        self._connections.discard(self)
        self._service.lost.set()

    def data_received(self, data: bytes) -> None:
        """Answer a request, or hold back what comes behind one."""
        exchange = self._lane_exchange
        if self._is_ready and self._lane is not None and exchange is not None:
            # This is the whole way of a near copy's answer, and of most that a node is asked for:
            # what comes alone needs no intake, which took 7 of 30 us.
            written = self._lane.again(data, self._state.default_headers)
            if written is not None:
                self.transport.write(written)
                self._reading.idle()
                return
            known = self._lane.read(data)
            if known is not None:
                self._is_ready = False
                self._exchange = exchange
                exchange.begin(data, known)
                return
        if not self._is_over:
            self._intake.add(data)
            self.read_on()

    def eof_received(self) -> bool:
        """Answer what has come whole, and close then: a client may close its sending side."""
        self._has_eof, self._is_ready = True, False
        if self._exchange is not None and self._intake.awaits_body and not self._is_over:
            self._exchange.hang_up()
            self._exchange = None
        if self._exchange is None and not self._intake.ahead_bytes:
            self._sending.close()
        return self.transport.can_write_eof()  # TLS has no half of a connection

    def pause_writing(self) -> None:
        """Begin no more answers until the client reads."""
        self._is_ready = False
        self._sending.pause()

    def resume_writing(self) -> None:
        """Go on."""
        self._sending.resume()
        if not self._sending.is_paused:
            self._loop.call_soon(self.read_on)

    def shutdown(self) -> None:
        """Close the connection, once the requests that have come are answered."""
        self._is_shut_down, self._is_ready = True, False
        if self._exchange is None and not self._intake.ahead_bytes:
            self._close()

    @property
    def idle_since(self) -> float | None:
        """Since when nothing is asked, by the loop's clock; None while something is."""
        is_between = self._intake.is_between and not self._intake.ahead_bytes
        is_idle = is_between and self._exchange is None and not self._is_over
        return self._reading.since if is_idle and not self._sending.has_unsent else None

    def begin_answer(self) -> tuple[Headers, bool]:
        """Return the server's own headers, and whether the connection outlives the answer."""
        is_last = (self._is_shut_down or self._has_eof) and not self._intake.ahead_bytes
        return self._state.default_headers, not is_last and not self._is_over

    def end_exchange(self, *, keeps_alive: bool) -> None:
        """Go on with the next request, or end with this one."""
        by_lane = self._exchange is self._lane_exchange
        self._exchange = None
        if self._is_over or not keeps_alive:
            self._close()
            return
        if self._intake.is_between:
            self._reading.idle()
        if self._is_advancing:
            return
        if by_lane and not (self._intake.ahead_bytes or self._has_eof or self._is_shut_down):
            self._is_ready = not self._sending.is_paused  # as _wait would have it, in 1 us less
            return
        if self._intake.ahead_bytes:
            # Not now: this may be called while another request's error is handled.
            self._loop.call_soon(self.read_on)
        else:
            self._wait()

    def take_back(self, request: bytes) -> None:
        """Let the app answer a request that the lane can't."""
        self._intake.put_back(request)
        self._exchange = None
        self.read_on()

    def read_on(self) -> None:
        """Take what has come, as far as it can be taken now."""
        if self._is_advancing or self._is_over:
            return
        self._is_advancing, self._is_ready = True, False
        cost = 0
        try:
            while self._may_take():
                if cost >= COST_A_TURN:
                    self._loop.call_soon(self.read_on)
                    break
                cost += REQUEST_COST if self._intake.is_between else 1
                self._take()
        except BaseException:  # what is left of the connection would be read by nobody
            self.transport.abort()
            raise
        finally:
            self._is_advancing = False
        self._wait()

    def _may_take(self) -> bool:
        if not self._intake.ahead_bytes or self._is_over or self.transport.is_closing():
            return False
        exchange = self._exchange
        if exchange is None:
            return not self._sending.is_paused
        may_hand_over = isinstance(exchange, Exchange) and exchange.held_bytes < AHEAD_BYTES
        return may_hand_over and self._intake.awaits_body

    def _take(self) -> None:
        """Take the next piece of what has come."""
        try:
            piece = self._intake.take()
            if isinstance(piece, RequestPart):
                self._take_part(piece)
                return
        except Refused as refused:
            self._refuse(refused)
            return
        if self._lane_exchange is not None:  # as wherever there is a plain request
            self._exchange = self._lane_exchange
            self._lane_exchange.begin(*piece)

    def _take_part(self, part: RequestPart) -> None:
        """Begin a request, or hand its body over. Raises Refused."""
        if part.is_whole or not self._intake.is_between:  # else it was an empty line
            self._reading.receive()
        if part.head is not None:
            scope = scope_of(part.head, self.transport, self._app_state)
            self._exchange = Exchange(part.head, self, self._sending)
            self._exchange.start(self._app, scope, self._state.tasks)
        if part.is_whole:
            self._reading.received()
            if self._exchange is None:
                self._reading.idle()
        if isinstance(self._exchange, Exchange) and (part.body or part.is_whole):
            self._exchange.take(part.body, is_whole=part.is_whole)

    def _wait(self) -> None:
        """Wait for what comes next: read on or not, be ready for the lane, or end."""
        if self._is_over or self.transport.is_closing():
            return
        if self._exchange is None and not self._intake.ahead_bytes:
            if self._is_shut_down or self._has_eof:
                self._close()
                return
            is_between = self._intake.is_between
            self._is_ready = is_between and self._lane is not None and not self._sending.is_paused
        held = 0 if self._exchange is None else self._exchange.held_bytes
        if self._intake.ahead_bytes + held > AHEAD_BYTES:
            self._reading.pause()
        else:
            self._reading.resume(midway=not self._intake.is_between)

    def _time_out(self) -> None:
        if self._is_over and self._sending.is_paused:
            self._reading.linger()
        elif self._intake.is_between and (self._exchange is not None or self._sending.is_paused):
            self._reading.idle()  # it is not for the client to ask
        elif self._is_over or self._intake.is_between:
            self._sending.close()
        else:
            self._refuse(too_slow(self._service.limits.receive_timeout))

    def _refuse(self, refused: Refused) -> None:
        """Answer `refused` in place of the request under way, and read no more."""
        self._is_over, self._is_ready = True, False
        if isinstance(self._exchange, Exchange) and self._exchange.has_begun:
            self._reading.renew()
            return  # the connection ends with the answer that is out
        is_counted = self._exchange is not None  # by the app, as one whose client is gone
        if self._exchange is not None:
            self._exchange.hang_up()
            self._exchange = None
        elif self._intake.awaits_body:
            self._close()
            return
        said = self._state.default_headers
        if not is_counted:
            self._service.answered.count(refused.status)
        self._sending.write(self._service.refusal(refused, *self._intake.request, said))
        self._linger()

    def _close(self) -> None:
        """Close, but not on a client that is still sending: that would destroy the answer."""
        self._is_over, self._is_ready = True, False
        if self._intake.ahead_bytes or self._intake.awaits_body:
            self._linger()
        else:
            self._sending.close()

    def _linger(self) -> None:
        self._intake.clear()
        self._sending.end_writing()
        self._reading.linger()

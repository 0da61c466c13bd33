"""A plain GET and its answer by the fast lane, without ASGI and without a task."""

import asyncio
from typing import NamedTuple, Protocol

from cache_core.value import Outcome, Value
from gateway.http.budget import Budget
from gateway.http.fields import Headers
from gateway.http.problems import Refused
from gateway.lane.answer import AnswerForm
from gateway.lane.lane import KEPT_BODY_BYTES, Copy, Known, Lane
from gateway.middleware.running import draining
from gateway.routes.off_loop import OFF_LOOP_BYTES
from gateway.server.connection.sending import Sending


class LaneLine(Protocol):
    """The connection, as its lane knows it."""

    def begin_answer(self) -> tuple[Headers, bool]:
        """Return the server's own headers, and whether the connection outlives the answer."""

    def end_exchange(self, *, keeps_alive: bool) -> None:
        """Go on with the next request, or end with this one."""

    def take_back(self, request: bytes) -> None:
        """Answer a request otherwise that the lane can't answer."""


class _Request(NamedTuple):
    """A request that waits for its answer; `data` is the whole of it."""

    data: bytes
    known: Known


class LaneExchange:
    """The plain GETs of one connection, one at a time; the answers go out by `sending`.

    A large answer is part of `budget` while it is made.
    """

    held_bytes = 0
    """The bytes of a body: a plain GET has none."""

    def __init__(self, line: LaneLine, sending: Sending, lane: Lane, budget: Budget) -> None:
        self._line = line
        self._share = budget.share()
        self._sending = sending
        self._lane = lane
        self._loop = asyncio.get_running_loop()
        self._request: _Request | None = None
        self._give_up = _nothing

    def begin(self, data: bytes, known: Known) -> None:
        """Get the value from a near copy or from a node, and answer."""
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

    def hang_up(self) -> None:
        """Give up the request: the client is gone."""
        self._give_up()
        self._done()

    def end(self) -> None:
        """Answer the request that still waits with 503: the gateway ends."""
        self._give_up()
        self._answer(draining())

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
            self._share.take(len(value.data))
            form = await self._lane.form(request.known, value)
            if isinstance(form, AnswerForm):
                self._share.take(len(form.body))
        except Refused as refused:
            self._answer(value, refused)
        except Exception:  # noqa: BLE001 - as below
            self._loop.call_soon(self._hand_back, request)
        else:
            self._answer(value, form)

    def _answer(
        self, outcome: Outcome, form: AnswerForm | Refused | None = None, copy: Copy | None = None
    ) -> None:
        request = self._request
        if request is None or self._sending.is_closing:
            return
        said, keeps_alive = self._line.begin_answer()
        try:
            head, body = self._lane.write(*request, outcome, form, said=said, close=not keeps_alive)
        except Exception:  # noqa: BLE001 - the long way fails as well, and answers and logs that
            self._loop.call_soon(self._hand_back, request)
            return
        if len(body) <= KEPT_BODY_BYTES:
            written = head + body
            self._sending.write(written)
            if copy is not None and keeps_alive:
                self._lane.keep(request.known, copy, written, said)
        else:
            self._sending.write(head)
            self._sending.write(body)
        self._done()
        self._line.end_exchange(keeps_alive=keeps_alive)

    def _hand_back(self, request: _Request) -> None:
        """Let the app answer a request that the lane can't, unless it is ended."""
        if self._request is request:
            self._done()
            self._line.take_back(request.data)

    def _done(self) -> None:
        self._request = None
        if self._share.held:
            self._share.end()
        self._give_up = _nothing
        self._lane.running.finish(self)


def _nothing() -> object:
    """Do nothing: there is nothing to give up."""

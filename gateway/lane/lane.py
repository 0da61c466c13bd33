"""The part of the fast lane that all connections share: it asks for keys and remembers requests.

A request is remembered by its bytes, together with its meaning, the form of its last answer, and
the whole answer for as long as nothing in it changes. Knows no sockets.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from cache_core.errors import CacheError
from cache_core.trace import NO_TRACE, current_trace
from cache_core.value import Outcome, Then, Value
from gateway.http.caching import seconds_until_other
from gateway.http.fields import Headers
from gateway.http.problems import Refused
from gateway.lane.answer import AnswerForm, Writer
from gateway.lane.memory import Memory
from gateway.lane.request import PlainGet, Reader
from gateway.middleware.answered import Answered
from gateway.middleware.running import Running

KEPT_BODY_BYTES: Final = 16 * 1024
"""An answer with a larger body is not kept whole, because joining it to a head copies it."""

_OK: Final = 200
_REQUEST_BYTES: Final = 800
"""The bytes that a remembered request takes beside four times its own."""

_FORM_BYTES: Final = 1000
"""The bytes that a remembered answer takes beside its headers and its body."""


class Pending(Protocol):
    """A get that is under way."""

    def give_up(self) -> None:
        """Stop waiting: `then` is not called any more."""


class LaneClient(Protocol):
    """The client that the lane asks for keys; a cache_core Client is one."""

    def ask(self, group: str, key: str, *, deadline: float, then: Then) -> Pending:
        """Call `then` by `deadline`, by the event loop's clock, with the get's outcome."""


class HeldCopy(Protocol):
    """A near copy."""

    def touch(self) -> bool:
        """Return whether exactly this copy is still held and covered; if so, count a hit."""


class Near(Protocol):
    """A near cache: copies that are at hand without a call."""

    def peek(self, group: str, key: str) -> Value | None:
        """Return the value of a fresh copy, and count the hit; None without such a copy."""

    def hold(self, group: str, key: str) -> HeldCopy | None:
        """Return the copy just peeked, to be asked later if it still holds; None without one."""


class KeptAnswer(NamedTuple):
    """A whole answer, `written`, that may be sent again.

    It is good before `until`, by the lane's clock, while the copy `held` holds and the server's own
    headers are `said`.
    """

    written: bytes
    until: float
    said: Headers
    held: HeldCopy


class Copy(NamedTuple):
    """A near copy's value, and until when an answer that is made of it stays the same."""

    value: Value
    until: float


class Known:
    """A request that was read, with the form of its last answer and that answer, if kept."""

    __slots__ = ("form", "kept", "plain")

    def __init__(self, plain: PlainGet) -> None:
        self.plain = plain
        self.form: AnswerForm | None = None
        self.kept: KeptAnswer | None = None


class Lane:
    """Reads plain GETs by `reader`, asks for their keys and writes their answers.

    Keys are asked of `client`; `near`, where there is one, is looked into first. `running` is told
    of requests that run, by the connections, and `answered` of each answer. `finish` is as the
    Writer's; `clock` is in seconds.
    """

    def __init__(
        self,
        client: LaneClient,
        near: Near | None,
        running: Running,
        reader: Reader,
        finish: Callable[[Headers], Headers],
        *,
        answered: Answered,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.running = running
        self._answered = answered
        self._writer = Writer(finish, answered.count)
        self._client = client
        self._near = near
        self._reader = reader
        self._clock = clock
        self._memory: Memory[Known] = Memory()

    def again(self, data: bytes, said: Headers) -> bytes | None:
        """Return the kept answer to the request `data` and count it, or None if none holds."""
        known = self._memory.get(data)
        if known is None or known.kept is None:
            return None
        written, until, said_then, held = known.kept
        if said_then is said and self._clock() < until and held.touch():
            self._answered.count(_OK)
            return written
        known.kept = None
        return None

    def read(self, data: bytes) -> Known | None:
        """Return the plain GET that `data` is, or None where it is something else."""
        known = self._memory.get(data)
        if known is None:
            plain = self._reader.read(data)
            if plain is None:
                return None
            known = Known(plain)
        return known

    def near(self, known: Known) -> Copy | None:
        """Return the near copy of the value that `known` asks for, or None without one."""
        if self._near is None:
            return None
        now = self._clock()
        value = self._near.peek(*known.plain.get.target)
        return None if value is None else Copy(value, now + seconds_until_other(value))

    def keep(self, known: Known, copy: Copy, written: bytes, said: Headers) -> None:
        """Keep `written`, the answer made of `copy`, to be sent again for as long as it holds."""
        if self._near is None or self.remembered_form(known, copy.value) is None:
            return  # the answer was a refusal
        held = self._near.hold(*known.plain.get.target)
        if held is not None:
            known.kept = KeptAnswer(written, copy.until, said, held)

    def ask(self, known: Known, deadline: float, then: Then) -> Pending:
        """Ask the client for the value that `known` asks for, in its trace or in none.

        `then` is called by `deadline`, by the event loop's clock, with the outcome.
        """
        group, key = known.plain.get.target
        # NO_TRACE is set too: a request held back is asked in the context of another's answer.
        token = current_trace.set(known.plain.trace)
        try:
            return self._client.ask(group, key, deadline=deadline, then=then)
        finally:
            current_trace.reset(token)

    def remembered_form(self, known: Known, value: Value) -> AnswerForm | None:
        """Return the form of the last answer if `value` is answered in it too, else None."""
        return known.form if known.form is not None and known.form.is_of(value) else None

    async def form(self, known: Known, value: Value) -> AnswerForm | Refused:
        """Return the form of the answer with `value`, or its refusal, made in a thread.

        It is for large values, because making their forms would hold the event loop up.
        """
        try:
            return await asyncio.to_thread(self._writer.form, known.plain, value)
        except Refused as refused:
            return refused

    def write(
        self,
        request: bytes,
        known: Known,
        outcome: Outcome,
        form: AnswerForm | Refused | None = None,
        *,
        said: Headers,
        close: bool,
    ) -> tuple[bytes, bytes]:
        """Return the head and the body of the answer to `request`, which was read as `known`.

        `form` is the answer's form, or its refusal, where it was made already. `said` and `close`
        are as the Writer's.
        """
        if isinstance(outcome, CacheError):
            self._remember(request, known)
            return self._writer.with_error(known.plain, outcome, said=said, close=close)
        if form is None:
            form = self._form(known, outcome)
        if isinstance(form, Refused):
            return self._writer.with_error(known.plain, form, said=said, close=close)
        if form is not known.form:
            known.form, known.kept = form, None
            self._remember(request, known)
        return self._writer.with_value(form, outcome, said=said, close=close)

    def _form(self, known: Known, value: Value) -> AnswerForm | Refused:
        try:
            return self.remembered_form(known, value) or self._writer.form(known.plain, value)
        except Refused as refused:
            return refused

    def _remember(self, request: bytes, known: Known) -> None:
        """Offer `request`, as it was read and with its answer's form, to the memory."""
        if known.plain.trace is NO_TRACE:  # a trace is always new
            size = 4 * len(request) + _REQUEST_BYTES
            if known.form is not None:
                size += _weight(known.form)
            self._memory.offer(request, known, size)


def _weight(form: AnswerForm) -> int:
    """Return the bytes that `form` and a kept answer made of it take."""
    head = len(form.begin) + len(form.end)
    size = _FORM_BYTES + len(form.declared) + len(form.data) + head
    if form.body is not form.data:
        size += len(form.body)
    if len(form.body) <= KEPT_BODY_BYTES:
        size += head + len(form.body) + len(form.data)  # the near copy has bytes of its own
    return size

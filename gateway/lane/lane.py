"""What the connections of the fast lane share: what they ask, and what they remember.

A request is remembered by its bytes with what they say, the form of its last answer, and the whole
answer for as long as nothing in it changes. Knows no sockets.
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
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.lane.answer import AnswerForm, Writer
from gateway.lane.memory import Memory
from gateway.lane.request import PlainGet, Reader
from gateway.middleware.answered import Answered
from gateway.middleware.running import Running

KEPT_BODY_BYTES: Final = 16 * 1024
"""An answer with a larger body is not kept as a whole: to join the body to a head copies it."""

_OK: Final = 200
_REQUEST_BYTES: Final = 800
"""What a request takes, read, beside four times its bytes."""

_FORM_BYTES: Final = 1000
"""What an answer takes beside its headers and its body."""


class Pending(Protocol):
    """A get that is under way."""

    def give_up(self) -> None:
        """Wait no longer: `then` is not called any more."""


class LaneClient(Protocol):
    """What the lane asks for keys; a Client is one."""

    def ask(self, group: str, key: str, *, deadline: float, then: Then) -> Pending:
        """Have `then` called with the outcome by `deadline`, by the event loop's clock."""


class HeldCopy(Protocol):
    """A near copy."""

    def touch(self) -> bool:
        """Count a hit, and tell whether exactly this copy may still be answered."""


class Near(Protocol):
    """Copies that are at hand."""

    def peek(self, group: str, key: str) -> Value | None:
        """Return the value if a fresh copy is held, and count the hit."""

    def hold(self, group: str, key: str) -> HeldCopy | None:
        """Return the copy itself, to be asked whether it still holds."""


class KeptAnswer(NamedTuple):
    """A whole answer, good before `until` while `held` holds and the server says `said`."""

    written: bytes
    until: float
    said: Headers
    held: HeldCopy


class Copy(NamedTuple):
    """A near copy's value, and until when an answer that is made of it stays the same."""

    value: Value
    until: float


class Known:
    """A request that was read, and what its last answer was made of."""

    __slots__ = ("form", "kept", "plain")

    def __init__(self, plain: PlainGet) -> None:
        self.plain = plain
        self.form: AnswerForm | None = None
        self.kept: KeptAnswer | None = None


class Lane:
    """Reads plain GETs within `limits`, asks for their keys and writes their answers.

    Keys are asked of `client`, of `near` first where there is one. What runs is among `running`.
    Answers are `answered`; `finish` is as the Writer's.
    """

    def __init__(
        self,
        client: LaneClient,
        near: Near | None,
        running: Running,
        limits: Limits,
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
        self._reader = Reader(limits)
        self._clock = clock
        self._memory: Memory[Known] = Memory()

    def again(self, data: bytes, said: Headers) -> bytes | None:
        """Return the answer to the request `data` where it is what it was."""
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
        """Return the plain GET that `data` is, None where it is something else."""
        known = self._memory.get(data)
        if known is None:
            plain = self._reader.read(data)
            if plain is None:
                return None
            known = Known(plain)
        return known

    def near(self, known: Known) -> Copy | None:
        """Return the value that is asked for where it is at hand."""
        if self._near is None:
            return None
        now = self._clock()
        value = self._near.peek(*known.plain.get.target)
        return None if value is None else Copy(value, now + seconds_until_other(value))

    def keep(self, known: Known, copy: Copy, written: bytes, said: Headers) -> None:
        """Let `written`, the answer made of `copy`, be the answer again while it can be."""
        if self._near is None or self.remembered_form(known, copy.value) is None:
            return  # it was refused
        held = self._near.hold(*known.plain.get.target)
        if held is not None:
            known.kept = KeptAnswer(written, copy.until, said, held)

    def ask(self, known: Known, deadline: float, then: Then) -> Pending:
        """Ask for the value in the trace that the request names, or in none."""
        group, key = known.plain.get.target
        # Set where there is none as well: what is held back goes on in the turn of an answer.
        token = current_trace.set(known.plain.trace)
        try:
            return self._client.ask(group, key, deadline=deadline, then=then)
        finally:
            current_trace.reset(token)

    def remembered_form(self, known: Known, value: Value) -> AnswerForm | None:
        """Return the form of an answer with a value where it need not be made."""
        return known.form if known.form is not None and known.form.is_of(value) else None

    async def form(self, known: Known, value: Value) -> AnswerForm | Refused:
        """Return the form of an answer with a value whose making would hold the loop up."""
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
        """Return the head and the body of the answer to `request`, which is `known`.

        `form` is the answer's where it was made already.
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
        """Remember what `request` says, and the form of its answer, if it comes again."""
        if known.plain.trace is NO_TRACE:  # a trace is always new
            size = 4 * len(request) + _REQUEST_BYTES
            if known.form is not None:
                size += _weight(known.form)
            self._memory.offer(request, known, size)


def _weight(form: AnswerForm) -> int:
    """Return the bytes that `form` takes, and what is kept of the answer made of it."""
    head = len(form.begin) + len(form.end)
    size = _FORM_BYTES + len(form.declared) + len(form.data) + head
    if form.body is not form.data:
        size += len(form.body)
    if len(form.body) <= KEPT_BODY_BYTES:
        size += head + len(form.body) + len(form.data)  # the near copy has bytes of its own
    return size

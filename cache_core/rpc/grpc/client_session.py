"""The client's end: calls that this end makes on a connection, and their answers."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, Protocol

from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.heads import AnswerHead
from cache_core.rpc.grpc.messages import Messages, prefixed
from cache_core.rpc.grpc.status import OF_HTTP, OF_RESET, StatusCode, StatusError
from cache_core.rpc.grpc.turns import Turns
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.client import ClientConnection
from cache_core.rpc.http2.framing.codes import ConnectionFault, ErrorCode
from cache_core.rpc.http2.framing.head_reader import HeadReader
from cache_core.rpc.http2.stream import Stream

MAX_REASON_BYTES: Final = 256
"""How much is kept of the words in which the other end ends a connection."""

LATE: Final = 0.5
"""How much a call that is given up counts as work: its answer, which comes late, is to be borne."""


class SessionOwner(Protocol):
    """Who hears what concerns a connection as a whole."""

    def flush_soon(self) -> None:
        """Have what is to be sent written when this turn of the event loop ends."""

    def said_goodbye(self, why: str) -> None:
        """Learn that the other end takes no more calls on it; `why` is empty where all is well."""

    def answered_ping(self, data: bytes) -> None:
        """Learn that the other end has answered the ping of this data."""

    def suspended(self) -> None:
        """Learn that the connection waits for a later turn: it has to `resume` in it."""

    def broke_a_rule(self, fault: ConnectionFault) -> None:
        """Learn that it is over, once all is written."""


class ClientSession:
    """The calls of one connection; a message of an answer may have `max_message` bytes.

    `cut` is the field of the trailers that differs from answer to answer. Messages are unpacked
    within `turns`; where one is over, the connection is suspended.
    """

    def __init__(
        self,
        owner: SessionOwner,
        *,
        bounds: Bounds,
        max_message: int,
        cut: bytes,
        turns: Turns,
        clock: Callable[[], float],
    ) -> None:
        self._owner = owner
        self._turns = turns
        self._max_message = max_message
        reader = HeadReader(AnswerHead, cut, bounds.header_bytes)
        self.connection: ClientConnection[AnswerHead, ClientCall] = ClientConnection(
            bounds, reader, self, clock
        )
        self._queue: dict[ClientCall, None] = {}
        self.is_leaving = False
        """Whether no call can be begun on the connection any more."""
        self.has_answered = False
        """Whether any call was answered on it, if only in part."""
        self.written = 0
        """The highest stream that was handed to the socket; the owner says it."""

    @property
    def is_idle(self) -> bool:
        """Whether no call is under way."""
        return not self.connection.streams and not self._queue

    def ask(self, call: ClientCall) -> None:
        """Make `call`, as soon as the other end takes one more."""
        call.session = self
        self._owner.flush_soon()
        if self._queue or not self.connection.has_room:
            self._queue[call] = None
        else:
            self._begin(call)

    def give_up(self, call: ClientCall) -> None:
        """Wait for the answer of `call` no longer; it is not told of its end."""
        if call.stream is not None:
            self.connection.reset(call.stream, ErrorCode.CANCEL)
            self.connection.patience.work(LATE)
            call.stream.call = None
            self._owner.flush_soon()
        else:
            self._queue.pop(call, None)

    def consumed(self, call: ClientCall, size: int) -> None:
        """Let the other end send `size` bytes more of the answer."""
        if call.stream is not None:
            self.connection.consumed(call.stream, size)
            self._owner.flush_soon()

    def receive(self, data: bytes) -> None:
        """Take bytes that came."""
        self.connection.receive(data)
        self.go_on()

    def go_on(self) -> None:
        """Begin the calls that wait, as far as the other end takes more.

        It is done once a turn: of calls that are given up together, none is begun for another.
        """
        while self._queue and self.connection.has_room and not self.is_leaving:
            call = next(iter(self._queue))
            del self._queue[call]
            self._begin(call)

    def end(self, end: Ended) -> None:
        """End all calls: the connection is over. Those that were not written have never left.

        Where the other end has never said anything it was no connection, and all just end.
        """
        self.is_leaving = True
        unasked = Ended(end.code, end.words, never_left=self.connection.is_settled)
        queue, self._queue = self._queue, {}
        for stream in list(self.connection.streams.values()):
            self.connection.close(stream)
            self._end(stream, unasked if stream.number > self.written else end)
        _give_back(queue, unasked)

    def headers(
        self, stream: Stream[ClientCall], head: AnswerHead, cut: bytes | None, *, ended: bool
    ) -> None:
        """Take the header or the trailers of an answer."""
        call = stream.call
        if call is None:
            return
        self.has_answered = True
        if call.head is None:
            call.head = head
        is_cut = call.messages is not None and call.messages.held > 0
        if ended and is_cut and head.code is StatusCode.OK:
            self._end(stream, Ended(StatusCode.INTERNAL, "the answer ends within a message"))
        elif ended or call.head is not head or head.status != 200 or not head.is_grpc:
            self._end(stream, _end_of(call.head, head, cut))

    def data(self, stream: Stream[ClientCall], data: bytes, *, ended: bool) -> None:
        """Take data of an answer."""
        call = stream.call
        if call is None or call.head is None:
            self.connection.reset(stream, ErrorCode.PROTOCOL_ERROR)
            self._end(stream, Ended(StatusCode.INTERNAL, "data came before the header"))
            return
        size = len(data)
        if (
            call.messages is None
            and size >= 5
            and not data[0]
            and int.from_bytes(data[1:5]) == size - 5 <= self._max_message
        ):
            call.take(data[5:])
        else:
            if not self._feed(call, data):
                return
            if call.messages is not None and call.messages.waits:
                self.connection.suspend(partial(self.data, stream, b"", ended=ended))
                self._owner.suspended()
                ended = False
        if call.is_paused:
            call.owed += size
        else:
            self.connection.consumed(stream, size)
        if ended:
            self._end(stream, Ended(StatusCode.UNKNOWN, "the answer ended without a status"))

    def reset(self, stream: Stream[ClientCall], code: ErrorCode, words: str) -> None:
        """Learn that the other end ended a call, or broke a rule of its stream."""
        if words:
            self._end(stream, Ended(StatusCode.INTERNAL, words))
            return
        status = OF_RESET.get(code, StatusCode.INTERNAL)
        words = f"the call was ended with {code.name}"
        refused = code is ErrorCode.REFUSED_STREAM
        self._end(stream, Ended(status, words, was_refused=refused))

    def drained(self, stream: Stream[ClientCall]) -> None:
        """Pass over it: a request's one message needs no more room."""

    def goaway(self, last: int, code: int, words: bytes) -> None:
        """Give the calls back that the other end has not looked at."""
        self._leave(last, _reason(code, words) if code else "")

    def pong(self, data: bytes) -> None:
        """Pass it on that the other end lives."""
        self._owner.answered_ping(data)

    def failed(self, fault: ConnectionFault) -> None:
        """Pass it on that the connection is over, and give those calls back that wait."""
        self.is_leaving = True
        self._owner.broke_a_rule(fault)
        queue, self._queue = self._queue, {}
        _give_back(queue, Ended(StatusCode.UNAVAILABLE, str(fault), never_left=True))

    def _leave(self, last: int, why: str = "") -> None:
        """Have no more calls come here, and give those back that are above `last` or wait."""
        self.is_leaving = True
        self._owner.said_goodbye(why)
        words = "the server is stopping"
        refused = Ended(StatusCode.UNAVAILABLE, words, was_refused=True)
        unasked = Ended(StatusCode.UNAVAILABLE, words, never_left=True)
        for stream in list(self.connection.streams.values()):
            if stream.number > last:
                self.connection.close(stream)
                self._end(stream, refused if stream.number <= self.written else unasked)
        queue, self._queue = self._queue, {}
        _give_back(queue, unasked)

    def _begin(self, call: ClientCall) -> None:
        connection = self.connection
        stream = call.stream = connection.request(call.block, call)
        connection.outlet.data(stream, prefixed(call.message), end=True)
        if connection.is_spent:
            self._leave(stream.number)

    def _feed(self, call: ClientCall, data: bytes) -> bool:
        """Take data that is no whole message; return whether the call goes on."""
        if call.messages is None:
            encoding = b"identity" if call.head is None else call.head.encoding
            call.messages = Messages(self._max_message, encoding, "CLIENT", self._turns)
        try:
            for message in call.messages.feed(data):
                if call.stream is None or call.stream.call is not call:
                    return False
                call.take(message)
        except StatusError as error:
            if call.stream is not None:
                self._end(call.stream, Ended(error.code, str(error)))
            return False
        return True

    def _end(self, stream: Stream[ClientCall], end: Ended) -> None:
        call, stream.call = stream.call, None
        if not stream.is_closed:  # the answer is refused, or ends before the request
            self.connection.reset(stream, ErrorCode.CANCEL)
        if call is not None:
            call.end(end)


def _reason(code: int, words: bytes) -> str:
    name = ErrorCode(code).name if code <= ErrorCode.HTTP_1_1_REQUIRED else str(code)
    said = words[:MAX_REASON_BYTES].decode(errors="replace")
    return f"it was ended with {name}: {said!r}"


def _give_back(calls: Iterable[ClientCall], end: Ended) -> None:
    for call in calls:
        call.end(end)


def _end_of(first: AnswerHead, last: AnswerHead, cut: bytes | None) -> Ended:
    if last.code is not None:
        return Ended(last.code, last.words, last.metadata, cut)
    status = first.status or 200
    if status == 200:
        return Ended(StatusCode.UNKNOWN, "the answer is not gRPC's, or has no status")
    return Ended(OF_HTTP.get(status, StatusCode.UNKNOWN), f"the HTTP status is {status}")

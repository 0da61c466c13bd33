"""The server's end: what comes on a connection as calls with their messages, and their answers."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from struct import Struct
from typing import Final

from cache_core.rpc.grpc.backlog import Backlog
from cache_core.rpc.grpc.heads import CONTENT_TYPE, fields_of
from cache_core.rpc.grpc.messages import PREFIX, Messages, prefixed
from cache_core.rpc.grpc.packed import ACCEPTED
from cache_core.rpc.grpc.server_call import Handler, Method, MethodHead, ServerCall
from cache_core.rpc.grpc.status import StatusCode, StatusError, write_status
from cache_core.rpc.grpc.timeout import read_timeout
from cache_core.rpc.grpc.turns import Turns
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import (
    END_HEADERS,
    LEAST_MAX_FRAME,
    ConnectionFault,
    ErrorCode,
)
from cache_core.rpc.http2.framing.head_reader import HeadReader
from cache_core.rpc.http2.framing.literals import block
from cache_core.rpc.http2.server import ServerConnection
from cache_core.rpc.http2.stream import Stream

HEADER: Final = block([(b":status", b"200"), (b"content-type", CONTENT_TYPE)])
OK: Final = block([(b"grpc-status", b"0")])
"""The trailers of a call that has nothing else to say."""

LATE: Final = "the deadline was over before the call could be begun, or its answer be sent"

SMALL_HEAD_BYTES: Final = 4 * 1024
"""What a call's header takes that is not worth to be counted beside the call."""

TOO_MUCH: Final = "too much on this connection was asked and is not answered"

_ANSWER: Final = Struct(f">HBBBI{len(HEADER)}sHBBBIBI")
"""An answer's header, and the head of its one frame of data with the message's prefix."""

_FRAME: Final = Struct(">HBBBI")
_MOST: Final = LEAST_MAX_FRAME - PREFIX.size


class ServerSession:
    """The calls of one connection, for a `handler`; `methods` are those of its paths.

    A message may have `max_message` bytes. `max_held` is what its `backlog` may hold: calls that
    were not begun are refused where it is more. Messages are unpacked within `turns`; where one is
    over, the connection is suspended.
    """

    def __init__(
        self,
        methods: Mapping[bytes, Method],
        handler: Handler,
        *,
        bounds: Bounds,
        max_message: int,
        max_held: int,
        turns: Turns,
        clock: Callable[[], float],
    ) -> None:
        self._handler = handler
        self._turns = turns
        self._max_message = max_message
        self._clock = clock
        head = partial(MethodHead, methods=methods)
        self._reader = HeadReader(head, b"grpc-timeout", bounds.header_bytes)
        self.connection: ServerConnection[MethodHead, ServerCall] = ServerConnection(
            bounds, self._reader, self, clock
        )
        self._outlet = self.connection.outlet
        self.backlog = Backlog(self._outlet, max_held)

    def answer(self, call: ServerCall, message: bytes, trailers: bytes = OK) -> None:
        """End `call` with one message and the block of its trailers."""
        stream, outlet = call.stream, self._outlet
        size = len(message)
        framed = size + 5
        if call.held:
            self.backlog.let_go(call)
        if (
            size > _MOST
            or len(trailers) > LEAST_MAX_FRAME
            or framed > stream.window
            or framed > outlet.window
            or not stream.has_ended
            or stream.is_closed
            or outlet.is_fresh
        ):
            self.send(call, message)
            self.finish(call, trailers)
            return
        # All at once, as in nearly every call: 1 us less than by `send` and `finish`.
        outlet.window -= framed
        outlet.unwritten += framed
        number = stream.number
        outlet.parts += (
            _ANSWER.pack(
                *(0, len(HEADER), 1, END_HEADERS, number, HEADER),
                *(framed >> 8, framed & 0xFF, 0, 0, number, 0, size),
            ),
            message,
            _FRAME.pack(len(trailers) >> 8, len(trailers) & 0xFF, 1, 5, number),
            trailers,
        )
        self.connection.answered(stream)

    def send(self, call: ServerCall, message: bytes) -> bool:
        """Send a message of `call`; return whether it left at once, and did not have to wait."""
        stream = call.stream
        if stream.is_closed:
            return True
        if not call.has_header:
            call.has_header = True
            self._outlet.headers(stream, HEADER)
        self._outlet.data(stream, prefixed(message))
        return not stream.queued

    def finish(self, call: ServerCall, trailers: bytes = OK) -> None:
        """End `call` as OK."""
        self._end(call, trailers)

    def fail(
        self,
        call: ServerCall,
        code: StatusCode,
        words: str,
        metadata: Iterable[tuple[str, str | bytes]] = (),
    ) -> None:
        """End `call` with an error."""
        self._end(call, block([*write_status(code, words), *fields_of(metadata)]))

    def lose(self) -> None:
        """Forget all calls, their answers and the handler: the client has gone."""
        self.backlog.clear()
        self.connection.lose()
        del self._handler

    def end_late(self) -> None:
        """End the calls whose deadline is over and for which nothing runs: they waited too long."""
        now = self._clock()
        for stream in list(self.connection.streams.values()):
            call = stream.call
            if call is None or call.deadline is None or call.deadline > now:
                continue
            if not call.was_begun or self.backlog.waits(call):
                self._refuse(call, StatusCode.DEADLINE_EXCEEDED, LATE)

    def headers(
        self, stream: Stream[ServerCall], head: MethodHead, cut: bytes | None, *, ended: bool
    ) -> None:
        """Take a call's header."""
        stream.call = call = ServerCall(stream, head)
        if cut is not None:
            try:
                seconds = read_timeout(cut)
                call.deadline = None if seconds is None else self.connection.now + seconds
            except ValueError as error:
                self._refuse(call, StatusCode.INTERNAL, str(error))
                return
        if head.refusal is not None:
            self._refuse(call, *head.refusal)
            return
        if self._reader.fresh > SMALL_HEAD_BYTES:
            call.head_bytes = self._reader.fresh
            self.backlog.hold(call, call.head_bytes)
            if self.backlog.is_over:
                self._refuse(call, StatusCode.RESOURCE_EXHAUSTED, TOO_MUCH)
                return
        if ended:
            self._ended(call)

    def data(self, stream: Stream[ServerCall], data: bytes, *, ended: bool) -> None:
        """Take data of a call."""
        call = stream.call
        if call is None:
            return
        if (
            ended
            and call.messages is None
            and len(data) >= 5
            and not data[0]
            and int.from_bytes(data[1:5]) == len(data) - 5 <= self._max_message
            and not call.head.method.takes_stream
            and self.backlog.has_room
            and (call.deadline is None or call.deadline > self.connection.now)
        ):
            call.was_begun = True
            self._handler.called(call, data[5:])
            return
        try:
            self._feed(call, data)
        except StatusError as error:
            self._refuse(call, error.code, str(error))
            return
        self.connection.consumed(stream, len(data))
        if call.messages is not None and call.messages.waits:
            self.connection.suspend(partial(self.data, stream, b"", ended=ended))
            self._handler.suspended()
        elif ended and not stream.is_closed:
            self._ended(call)

    def reset(self, stream: Stream[ServerCall], _code: ErrorCode, _words: str) -> None:
        """Give up a call that nobody waits for."""
        call, stream.call = stream.call, None
        if call is not None:
            self.backlog.let_go(call)
            if call.was_begun:
                self._handler.hung_up(call)

    def drained(self, stream: Stream[ServerCall]) -> None:
        """Tell the handler that more of a call may be sent."""
        if stream.call is not None:
            self._handler.drained(stream.call)

    def goaway(self, _last: int, _code: int, _words: bytes) -> None:
        """Pass over it: what is asked is answered all the same."""

    def pong(self, data: bytes) -> None:
        """Tell the handler that the other end lives."""
        self._handler.pong(data)

    def failed(self, fault: ConnectionFault) -> None:
        """Tell the handler that the connection is over."""
        self._handler.failed(fault)

    def _feed(self, call: ServerCall, data: bytes) -> None:
        messages = call.messages
        if messages is None:
            messages = Messages(self._max_message, call.head.encoding, "SERVER", self._turns)
            call.messages = messages
        takes_stream = call.head.method.takes_stream
        found = messages.feed(data)
        if found and not takes_stream:
            if call.message is not None or len(found) > 1:
                raise StatusError(StatusCode.UNIMPLEMENTED, "the call has one message, not more")
            (call.message,) = found
        self.backlog.hold(call, call.head_bytes + messages.taken + len(call.message or b""))
        if self.backlog.is_over:
            raise StatusError(StatusCode.RESOURCE_EXHAUSTED, TOO_MUCH)
        if takes_stream:
            for message in found:
                if call.stream.is_closed or call.stream.has_sent_all:
                    return
                call.was_begun = True
                self._handler.called(call, message)

    def _ended(self, call: ServerCall) -> None:
        if call.messages is not None and call.messages.held:
            self._refuse(call, StatusCode.INTERNAL, "the call ends within a message")
        elif call.head.method.takes_stream:
            self._handler.half_closed(call)
        elif call.message is None:
            self._refuse(call, StatusCode.UNIMPLEMENTED, "the call has no message")
        elif self.backlog.has_room:
            self._begin(call, call.message)
        else:
            self.backlog.wait(call, partial(self._begin, call, call.message))

    def _begin(self, call: ServerCall, message: bytes) -> None:
        if call.deadline is not None and call.deadline <= self._clock():
            self._refuse(call, StatusCode.DEADLINE_EXCEEDED, LATE)
            return
        call.messages = call.message = None  # yet it counts as held: what runs has the message
        call.was_begun = True
        self._handler.called(call, message)

    def _refuse(self, call: ServerCall, code: StatusCode, words: str) -> None:
        """End a call that the handler knows nothing of, or whose rest it should not see."""
        call.stream.call = None
        self.backlog.let_go(call)
        if call.head.http_status != 200 and not call.has_header:
            said = [(b":status", b"%d" % call.head.http_status), (b"content-type", CONTENT_TYPE)]
            said += write_status(code, words)
            self._outlet.headers(call.stream, block(said), end=True)
        else:
            accepted = (("grpc-accept-encoding", ACCEPTED.decode()),)
            self.fail(call, code, words, accepted if code is StatusCode.UNIMPLEMENTED else ())
        if call.was_begun:
            self._handler.hung_up(call)

    def _end(self, call: ServerCall, trailers: bytes) -> None:
        stream = call.stream
        self.backlog.let_go(call)
        if not stream.is_closed and not stream.has_sent_all:
            head = b"" if call.has_header else HEADER
            call.has_header = True
            self._outlet.headers(stream, head + trailers, end=True)

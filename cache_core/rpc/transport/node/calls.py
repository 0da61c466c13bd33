"""The calls of a node's connections, method by method, and their answers."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, Protocol

from cache_core.rpc.calls import REFUSALS, status_of
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.server_session import OK, ServerSession
from cache_core.rpc.grpc.status import StatusCode, StatusError
from cache_core.rpc.http2.framing.codes import ConnectionFault
from cache_core.rpc.http2.framing.literals import number
from cache_core.rpc.transport.node.introspection import reflect
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.node.pace import Pace
from cache_core.rpc.transport.node.running import Running
from cache_core.rpc.wire.codec import Row
from cache_core.rpc.wire.get import write_response
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES
from cache_core.rpc.wire.metadata import ANSWER, read_caller, write_answer
from cache_core.trace import NO_TRACE, current_trace
from cache_core.value import Value

logger = logging.getLogger("gaocache")

PEEK_BYTES: Final = 1024
"""What a peek of a key spends of a turn, of which a thousand fill it."""

_ANSWER: Final = b"%b\0%b%b" % (OK, number(len(ANSWER), 7), ANSWER.encode())
"""The trailers of a value, up to the length of what tells how it was answered."""


class CallsOwner(Protocol):
    """The connection as its calls see it."""

    def flush_soon(self) -> None:
        """Have what was sent outside a turn of the connection written when this turn ends."""

    def answered_ping(self, data: bytes) -> None:
        """Learn that the client has answered the ping of this data."""

    def suspended(self) -> None:
        """Learn that what has come has to wait for a later turn."""


class ConnectionCalls:
    """The calls of one connection to `node`; hits are answered at once."""

    def __init__(self, node: NodeCalls) -> None:
        self.peer = ""
        """The client, by grpcio's name for it."""
        self.loaded = 0
        """How many bytes the loads of batches take, with what was loaded and is not sent."""
        self._node = node
        self._calls = node.calls
        self._name = node.name
        self._drained: dict[ServerCall, asyncio.Future[None]] = {}
        self._pace = Pace()
        self._now = asyncio.get_running_loop().time

    def attach(self, session: ServerSession, wire: CallsOwner) -> None:
        """Answer by `session` from now on, over `wire`."""
        self._session = session
        self._backlog = session.backlog
        self._running = Running(self._node, session.backlog, self)
        self._wire = wire

    def called(self, call: ServerCall, message: bytes) -> None:
        """Begin a call, or pass on one more of its messages."""
        try:
            call.head.method.begin(self, call, message)
        except Exception as error:  # noqa: BLE001 - one call's failure is no other's
            self.fail(call, error)

    def half_closed(self, call: ServerCall) -> None:
        """End a call that has sent all its messages."""
        self._session.finish(call)

    def hung_up(self, call: ServerCall) -> None:
        """End the work for a call that nobody waits for."""
        self._running.hung_up(call)

    def drained(self, call: ServerCall) -> None:
        """Let a call send more."""
        waiting = self._drained.pop(call, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def pong(self, data: bytes) -> None:
        """Note that the client lives."""
        self._wire.answered_ping(data)

    def suspended(self) -> None:
        """Have the connection go on in a later turn."""
        self._wire.suspended()

    def flush_soon(self) -> None:
        """Have what was sent outside a turn of the connection written when this turn ends."""
        self._wire.flush_soon()

    def failed(self, fault: ConnectionFault) -> None:
        """Say why the client is cut off."""
        logger.info("gRPC client %s is cut off: %s (%s)", self.peer, fault, fault.code.name)

    def lost(self) -> None:
        """End the work for all calls of the connection: the client has gone."""
        self._running.lost()
        del self._running  # each has the other

    def get(self, call: ServerCall, message: bytes) -> None:
        """Answer a Get."""
        head = call.head
        caller = head.note
        if caller is None:
            caller = head.note = read_caller(head.metadata)
        found = self._calls.get(message, caller)
        if isinstance(found, Value):
            self._give(call, found)
        else:
            self._backlog.hold(call, call.head_bytes + len(message))
            again = partial(self.called, call, message)
            self._running.run(call, found, self._give, again)

    def receive(self, row: Row[Any, Any, Any, Any], call: ServerCall, message: bytes) -> None:
        """Answer a message between nodes."""
        left = None if call.deadline is None else call.deadline - self._now()
        self._run_apart(call, self._calls.receive(row, message, left), self._respond)

    def acknowledge(self, call: ServerCall, message: bytes) -> None:
        """Answer an Acknowledge."""
        self._run_apart(call, self._calls.acknowledge(message), self._respond)

    def batch_peek(self, call: ServerCall, message: bytes) -> None:
        """Answer a BatchPeek, in a later turn where enough was asked for in this one.

        A thousand keys take up to 27 ms, and 2 KB.
        """
        turns = self._node.turns
        if turns.is_over:
            self._backlog.hold(call, call.head_bytes + len(message))
            turns.wait(partial(self._peek_late, call, message))
            return
        answer, count = self._calls.batch_peek(message)
        turns.spend(count * PEEK_BYTES)
        self._respond(call, answer)

    def _peek_late(self, call: ServerCall, message: bytes) -> None:
        if not call.stream.is_closed:
            self.called(call, message)
            self.flush_soon()

    def batch_get(self, call: ServerCall, message: bytes) -> None:
        """Answer a BatchGet; it begins in a turn of its own, for it may be a thousand loads."""
        self._backlog.hold(call, call.head_bytes + len(message))
        self._run_apart(call, self._batch_get(call, message), self._finish)

    def hand_over(self, call: ServerCall, message: bytes) -> None:
        """Answer a HandOver."""
        send = partial(self._send, call)
        self._run_apart(call, self._calls.hand_over(message, send), self._finish)

    def watch(self, call: ServerCall, _: bytes) -> None:
        """Answer a Watch."""
        self._node.watches.add(call)
        watching = self._calls.watch(self.peer, partial(self._send, call))
        self._run_apart(call, watching, self._finish)

    def check_health(self, call: ServerCall, message: bytes) -> None:
        """Answer a Check of grpc.health.v1."""
        self._respond(call, self._node.health.check(message))

    def watch_health(self, call: ServerCall, message: bytes) -> None:
        """Answer a Watch of grpc.health.v1."""
        self._node.watches.add(call)
        watching = self._node.health.watch(message, partial(self._send, call))
        self._run_apart(call, watching, self._finish)

    def reflect(self, call: ServerCall, message: bytes) -> None:
        """Answer one question of a reflection."""
        if not self._backlog.has_room:
            raise StatusError(StatusCode.RESOURCE_EXHAUSTED, "the answers are not read")
        self._session.send(call, reflect(message))

    def _run_apart(
        self,
        call: ServerCall,
        answer: Coroutine[None, None, Any],
        give: Callable[[ServerCall, Any], None],
    ) -> None:
        """Run a call that has no trace; it would else run under the trace of the last Get."""
        current_trace.set(NO_TRACE)
        self._running.run(call, answer, give)

    def _give(self, call: ServerCall, value: Value) -> None:
        said = write_answer(value, node=self._name).encode()
        size = len(said)
        told = (
            b"%b%c%b" % (_ANSWER, size, said) if size < 0x7F else _ANSWER + number(size, 7) + said
        )
        self._session.answer(call, write_response(value.data), told)

    def _respond(self, call: ServerCall, message: bytes) -> None:
        self._session.answer(call, _fit(message))

    def _finish(self, call: ServerCall, _: None) -> None:
        self._session.finish(call)

    async def _batch_get(self, call: ServerCall, message: bytes) -> None:
        await self._pace.turn()
        await self._calls.batch_get(message, partial(self._send, call), self._hold)

    def _hold(self, more: int) -> None:
        self.loaded += more
        self.flush_soon()

    async def _send(self, call: ServerCall, make: Callable[[], bytes]) -> None:
        """Send a message of a stream once there is room for it; return once there is for another.

        It is made then.
        """
        if self._backlog.has_room:
            has_left = self._session.send(call, _fit(make()))
        else:
            has_left = False
            self._backlog.wait(call, partial(self._send_late, call, make))
        self.flush_soon()
        if not has_left:
            self._drained[call] = waiting = asyncio.get_running_loop().create_future()
            try:
                await waiting
            finally:
                self._drained.pop(call, None)

    def _send_late(self, call: ServerCall, make: Callable[[], bytes]) -> None:
        try:
            if self._session.send(call, _fit(make())):
                self.drained(call)
        except Exception as error:  # noqa: BLE001 - it is the call's that sends it
            waiting = self._drained.pop(call, None)
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)

    def fail(self, call: ServerCall, error: BaseException) -> None:
        """End a call with an error."""
        if isinstance(error, REFUSALS):
            self._session.fail(call, *status_of(error))
        elif isinstance(error, StatusError):
            self._session.fail(call, error.code, str(error))
        else:
            logger.error("a call failed in an unforeseen way", exc_info=error)
            words = f"Unexpected {type(error)}: {error}"  # as grpcio says it
            self._session.fail(call, StatusCode.UNKNOWN, words)


def _fit(message: bytes) -> bytes:
    if len(message) > MAX_MESSAGE_BYTES:
        sizes = f"{len(message)} vs. {MAX_MESSAGE_BYTES}"
        words = f"SERVER: Sent message larger than max ({sizes})"
        raise StatusError(StatusCode.RESOURCE_EXHAUSTED, words)
    return message

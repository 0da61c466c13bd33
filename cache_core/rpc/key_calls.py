"""Keys asked of a node by callbacks: one in a plain Get, several together in a batch.

Neither takes a task nor a future, which together would cost a lone key 10 us.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Protobuf

from cache_core.cluster.peer import Ask, Done, GiveUp
from cache_core.errors import CacheError, UnexpectedStatus
from cache_core.pb.cluster_pb2 import BatchGetResponse
from cache_core.pb.gaocache_pb2 import GetResponse
from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.transport.calling import Calling
from cache_core.rpc.transport.way import Way
from cache_core.rpc.wire.batch import settle
from cache_core.rpc.wire.get import Unreadable, read_response
from cache_core.rpc.wire.metadata import read_answer

R = TypeVar("R", bound=Protobuf)


class OneGet(Calling):
    """A plain Get of `ask` from `node`; `error_of` returns the error that an end means."""

    def __init__(
        self, way: Way, node: str, ask: Ask, error_of: Callable[[Ended], CacheError], done: Done
    ) -> None:
        super().__init__(way)
        self._node = node
        self._ask = ask
        self._error_of = error_of
        self._done = done
        self._data: bytes | None = None

    def message(self, _call: ClientCall, message: bytes) -> None:
        """Keep the message until its trailers come; there is one."""
        if self._data is not None:
            self.give_up()
            self._done(malformed(GetResponse, self._node))
        self._data = message

    def over(self, end: Ended) -> None:
        """Settle the ask."""
        if end.code is not StatusCode.OK:
            self._done(self._error_of(end))
            return
        try:
            value = read_response(self._data)
        except Unreadable:
            self._done(malformed(GetResponse, self._node))
            return
        said = None if end.cut is None else end.cut.decode("latin-1")
        try:
            self._ask.settle(read_answer(said, value, node=self._node))
        finally:
            self._done(None)


class BatchCall(Calling):
    """A call for several keys, whose answer is one message or a stream of them.

    `done` is called with how many of them were hits, or with the error that the call ended in.
    """

    def __init__(
        self,
        way: Way,
        node: str,
        asks: Sequence[Ask],
        error_of: Callable[[Ended], CacheError],
        done: Callable[[int | CacheError], None],
    ) -> None:
        super().__init__(way)
        self._node = node
        self._asks = asks
        self._error_of = error_of
        self._done = done
        self._hits = 0
        self._messages = 0

    def message(self, _call: ClientCall, message: bytes) -> None:
        """Settle the asks whose outcomes the message has."""
        try:
            self._messages += 1
            if self._messages > len(self._asks):
                raise malformed(BatchGetResponse, self._node)
            self._hits += settle(
                parse(BatchGetResponse, message, self._node), self._asks, node=self._node
            )
        except CacheError as error:
            self.give_up()
            self._done(error)

    def over(self, end: Ended) -> None:
        """Tell that all has come."""
        self._done(self._hits if end.code is StatusCode.OK else self._error_of(end))


class Several:
    """Several calls, of which the error of each is the outcome of its asks; `most` at a time.

    `begin` begins one. `done` is called once all have ended.
    """

    def __init__(
        self,
        calls: Sequence[Sequence[Ask]],
        begin: Callable[[Sequence[Ask], Done], GiveUp],
        done: Done,
        *,
        most: int,
    ) -> None:
        self._left = deque(calls)
        self._begin = begin
        self._done = done
        self._most = most
        self._running: dict[int, GiveUp] = {}
        self._begun = 0
        self._is_beginning = False
        self._begin_some()
        if not calls:
            done(None)

    def give_up(self) -> None:
        """Wait for none of them any more."""
        self._left.clear()
        running, self._running = self._running, {}
        for give_up in running.values():
            give_up()

    def _begin_some(self) -> None:
        if self._is_beginning:  # called by a call that has ended at once; the loop goes on
            return
        self._is_beginning = True
        while self._left and self._begun < self._most:
            self._begin_next()
        self._is_beginning = False

    def _begin_next(self) -> None:
        asks, number = self._left.popleft(), len(self._left)
        is_over = False

        def ended(error: CacheError | None) -> None:
            nonlocal is_over
            is_over = True
            self._running.pop(number, None)
            if error is not None:
                for ask in asks:
                    ask.settle(error)
            self._begun -= 1
            if self._left:
                self._begin_some()
            elif not self._begun:
                self._done(None)

        self._begun += 1
        give_up = self._begin(asks, ended)
        if not is_over:
            self._running[number] = give_up


def parse(kind: type[R], data: bytes, node: str) -> R:
    """Return the message of that kind in an answer of `node`. Raises UnexpectedStatus."""
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise malformed(kind, node) from error


def malformed(kind: type[Protobuf], node: str) -> UnexpectedStatus:
    """Return the error of an answer of `node` that is not what it should be."""
    words = f"the answer is no {kind.DESCRIPTOR.name}"
    return UnexpectedStatus(words, status="INTERNAL", node=node)

"""The keys that one node is asked for: alone in a plain Get, or together in a batch."""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Final

from cache_core.cluster.peer import Ask, Done, GiveUp
from cache_core.errors import CacheError, DeadlineExceeded, InvalidKey, UnexpectedStatus
from cache_core.pb.cluster_pb2 import BatchGetResponse
from cache_core.rpc.grpc.client_call import Ended
from cache_core.rpc.grpc.heads import fields_of
from cache_core.rpc.grpc.requests import timed
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.framing.literals import block
from cache_core.rpc.key_calls import BatchCall, OneGet, Several, malformed
from cache_core.rpc.transport.way import Way
from cache_core.rpc.wire.batch import chunks, write_batch
from cache_core.rpc.wire.get import write_request
from cache_core.rpc.wire.metadata import Caller, write_caller
from cache_core.trace import NO_TRACE

NO_BATCHES_SECONDS: Final = 60.0
"""How long a node that knows no batches is asked for single keys, before a batch is tried again."""

SINGLE_GETS: Final = 32
"""How many single keys of one batch such a node is asked for at a time."""

UNIMPLEMENTED: Final = StatusCode.UNIMPLEMENTED.name


class Asks:
    """Asks the node of that name for keys, by `way`.

    `head` returns the header of a call of that method; `error_of` the error that an end means.
    """

    def __init__(
        self,
        way: Way,
        node: str,
        head: Callable[..., bytes],
        error_of: Callable[[Ended], CacheError],
    ) -> None:
        self.way: Final = way
        self.node: Final = node
        self.error_of: Final = error_of
        self.head: Final = head
        self._head_of_get = lru_cache(64)(partial(head, "Get"))
        self._now = asyncio.get_running_loop().time
        self.peeks = True
        """Whether at least half of the last batch's keys were hits.

        If so, the next batch begins with a peek, which may spare it the stream: that costs twice as
        much. If not, a peek would mostly be one call too many.
        """
        self._batches_from = 0.0

    def ask(self, asks: Sequence[Ask], *, ring: int, timeout: float, done: Done) -> GiveUp:
        """Settle each of `asks`, as soon as its outcome is known; then call `done`.

        A single ask is a plain Get; so is every ask of a node that knows no batches. Where all
        asks fit into one call and it fails, `done` is given its error. Where they take several
        calls, the error of each is the outcome of the asks in it.
        """
        if len(asks) == 1:
            return self._ask_one(asks[0], ring, timeout, done)
        until = self._now() + timeout
        calls = list(chunks(asks))
        if len(calls) == 1:
            return self._ask_call(calls[0], done, ring=ring, until=until)
        begin = partial(self._ask_call, ring=ring, until=until)
        return Several(calls, begin, done, most=len(calls)).give_up

    def left(self, until: float) -> float:
        """Return the seconds that are left until then."""
        return until - self._now()

    def late(self) -> DeadlineExceeded:
        """Return the error of a call whose time was over before it began."""
        words = f"node {self.node} did not answer within the deadline"
        return DeadlineExceeded(words, node=self.node)

    def without_batches(
        self, asks: Sequence[Ask], done: Done, *, ring: int, until: float
    ) -> GiveUp:
        """Ask for `asks` in single calls, as the node has said that it knows no batches."""
        self._batches_from = self._now() + NO_BATCHES_SECONDS
        return self._ask_singly(asks, done, ring=ring, until=until)

    def _ask_one(self, ask: Ask, ring: int, timeout: float, done: Done) -> GiveUp:
        try:
            request = write_request(ask.group, ask.key)
        except UnicodeEncodeError:
            done(InvalidKey())
            return _nothing
        if timeout <= 0:
            done(self.late())
            return _nothing
        fields = write_caller(Caller(ring, ask.trace, ask.forwarded, ask.demand))
        get = OneGet(self.way, self.node, ask, self.error_of, done)
        if ask.trace is NO_TRACE:
            head = self._head_of_get(fields=fields)
        else:  # no other call will have such fields
            head = self._head_of_get() + block(fields_of(fields))
        get.call(timed(head, timeout), request)
        return get.give_up

    def _ask_call(self, asks: Sequence[Ask], done: Done, *, ring: int, until: float) -> GiveUp:
        """Ask for keys that fit into one call, or in single calls if the node knows no batches."""
        if len(asks) == 1:
            return self._ask_one(asks[0], ring, self.left(until), done)
        if self._now() < self._batches_from:
            return self._ask_singly(asks, done, ring=ring, until=until)
        return _Batch(self, asks, ring, until, done).give_up

    def _ask_singly(self, asks: Sequence[Ask], done: Done, *, ring: int, until: float) -> GiveUp:
        def begin(one: Sequence[Ask], ended: Done) -> GiveUp:
            return self._ask_one(one[0], ring, self.left(until), ended)

        return Several([[ask] for ask in asks], begin, done, most=SINGLE_GETS).give_up


class _Batch:
    """A batch under way: a peek, then a stream for what it did not settle, or the stream alone."""

    def __init__(
        self, node: Asks, asks: Sequence[Ask], ring: int, until: float, done: Done
    ) -> None:
        self._node = node
        self._asks = asks
        self._ring = ring
        self._until = until
        self._done = done
        self._hits = 0
        self._give_up: GiveUp = _nothing
        if node.peeks:
            self._call("BatchPeek", asks, self._has_peeked)
        else:
            self._call("BatchGet", asks, self._has_all)

    def give_up(self) -> None:
        """Wait for it no longer."""
        self._give_up()

    def _call(
        self,
        method: str,
        asks: Sequence[Ask],
        ended: Callable[[int | CacheError], None],
        *,
        peeked: bool = False,
    ) -> None:
        node = self._node
        left = node.left(self._until)
        if left <= 0:
            self._done(node.late())
            return
        call = BatchCall(node.way, node.node, asks, node.error_of, ended)
        self._give_up = call.give_up
        request = write_batch(asks, self._ring, peeked=peeked).SerializeToString()
        call.call(timed(node.head(method), left), request)

    def _has_peeked(self, found: int | CacheError) -> None:
        if isinstance(found, CacheError):
            self._fail(found)
            return
        self._hits = found
        rest = [ask for ask in self._asks if not ask.is_settled]
        if rest:
            self._call("BatchGet", rest, self._has_all, peeked=True)
        else:
            self._end()

    def _has_all(self, found: int | CacheError) -> None:
        if isinstance(found, CacheError):
            self._fail(found)
            return
        self._hits += found
        self._end()

    def _end(self) -> None:
        self._node.peeks = 2 * self._hits >= len(self._asks)
        is_whole = all(ask.is_settled for ask in self._asks)
        self._done(None if is_whole else malformed(BatchGetResponse, self._node.node))

    def _fail(self, error: CacheError) -> None:
        if isinstance(error, UnexpectedStatus) and error.status == UNIMPLEMENTED:
            rest = [ask for ask in self._asks if not ask.is_settled]
            self._give_up = self._node.without_batches(
                rest, self._done, ring=self._ring, until=self._until
            )
        else:
            self._done(error)


def _nothing() -> None:
    """Do nothing: there is nothing to give up."""

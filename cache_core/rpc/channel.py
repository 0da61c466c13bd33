"""The client's end of one kept connection to a node."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator, Sequence
from typing import Final, TypeVar, cast

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Protobuf

from cache_core.address import Address
from cache_core.cluster.peer import Ask
from cache_core.cluster.watchers import ACK_SECONDS
from cache_core.errors import CacheError, InvalidKey, PeerUnavailable, UnexpectedStatus
from cache_core.messages import Handed, HandOver, Message, Notice, Probe, Probed
from cache_core.pb import cluster_pb2 as pb
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.wire.batch import chunks, settle, write_batch
from cache_core.rpc.wire.codec import read_handed, read_notice, row_of, write_hand_over
from cache_core.rpc.wire.limits import KEEPALIVE_MS, MAX_MESSAGE_BYTES
from cache_core.rpc.wire.metadata import ANSWER, Caller, read_answer, write_caller
from cache_core.rpc.wire.status import from_status

A = TypeVar("A")
R = TypeVar("R", bound=Protobuf)

GET: Final = "/gaocachepb.Gaocache/Get"
CLUSTER: Final = "/gaocache.cluster.v1.Cluster/"

UNIMPLEMENTED: Final = grpc.StatusCode.UNIMPLEMENTED.name

ENDLESS_SECONDS: Final = 1e8
"""From three years on, a timeout is sent as no deadline: one too far away overflows in gRPC."""

NO_BATCHES_SECONDS: Final = 60.0
"""How long a node that knows no batches is asked for single keys, before a batch is tried again."""

SINGLE_GETS: Final = 32
"""How many single keys such a node is asked for at a time."""

FAILURES: Final = (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.CancelledError)
"""The exceptions that a call of gRPC ends in; the last two also come of a closed channel."""

OPTIONS: Final = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    # So a node that comes back is found at once; with gRPC's own pauses it may take two minutes.
    # No call is spent on it meanwhile, because it is left out.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
    # Nodes are asked directly, whatever proxy the environment names for the outside world.
    ("grpc.enable_http_proxy", 0),
)


class Channel:
    """A connection to the node at `address`, opened by the first call and kept: a Watchable Peer.

    Belongs to the event loop that it is made in. Timeouts are in seconds; infinity means no
    deadline.
    """

    def __init__(self, address: Address) -> None:
        self._node = str(address)
        self._channel = grpc.aio.insecure_channel(self._node, options=OPTIONS)
        self._get = self._unary(GET)
        self._batch_peek = self._unary(CLUSTER + "BatchPeek")
        self._batch_get = self._stream("BatchGet")
        # Whether at least half of the last batch's keys were hits. If so, the next batch begins
        # with a peek, which may spare it the stream: that costs twice as much. If not, a peek
        # would mostly be one call too many.
        self._peeks = True
        self._batches_from = 0.0
        self._single_gets = asyncio.Semaphore(SINGLE_GETS)

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:
        """Settle each of `asks`, as soon as its outcome is known.

        A single ask is a plain Get; so is every ask of a node that knows no batches. Where all
        asks fit into one call and it fails, its CacheError is raised. Where they take several
        calls, the error of each is the outcome of the asks in it.
        """
        if len(asks) == 1:
            await self._get_one(asks[0], ring, timeout)
            return
        until = asyncio.get_running_loop().time() + timeout
        calls = list(chunks(asks))
        if len(calls) == 1:
            await self._ask(calls[0], ring, until)
        else:
            await _together(self._ask_apart(call, ring, until) for call in calls)

    async def send(self, message: Message[A], *, timeout: float) -> A:
        """Return the node's answer to `message`. Raises CacheError.

        A server that does not know Probe is no node of GaoCache. The answer returned for it is
        that it serves and has no ring.
        """
        if isinstance(message, HandOver):
            return cast("A", await self._hand_over(message, timeout))
        row = row_of(message)
        try:
            request = row.write(message)
        except UnicodeEncodeError as error:
            raise InvalidKey from error
        try:
            response = await self._send(row.method, request, row.response, timeout)
            return row.read_answer(response)
        except UnexpectedStatus as error:
            if isinstance(message, Probe) and error.status == UNIMPLEMENTED:
                return cast("A", Probed(draining=False, ring=0))
            raise
        except ValueError as error:
            raise self._malformed(row.response) from error

    async def watch(self) -> AsyncGenerator[Notice, None]:
        """Yield the node's notices until it ends them; a caller that stops before closes this.

        Raises CacheError where the node can't be watched, or is silent for too long.
        """
        with self._errors():
            call = self._stream("Watch")(pb.WatchRequest())
            messages = aiter(call)
            silence: float | None = None
            try:
                while True:
                    async with asyncio.timeout(silence):
                        data = await anext(messages, None)
                    if data is None:
                        return
                    notice = read_notice(self._parse(pb.Notice, data))
                    silence = notice.silence
                    yield notice
            except TimeoutError as error:
                raise PeerUnavailable(f"node {self._node} is silent", node=self._node) from error
            finally:
                call.cancel()

    async def acknowledge(self, watcher: str, sequence: int) -> None:
        """Tell the node that `watcher` has dropped the copies it was told of up to `sequence`.

        Raises CacheError.
        """
        await self._acknowledge(pb.AcknowledgeRequest(watcher=watcher, sequence=sequence))

    async def leave(self, watcher: str) -> None:
        """Tell the node that `watcher` holds no copies any more. Raises CacheError."""
        await self._acknowledge(pb.AcknowledgeRequest(watcher=watcher, leaves=True))

    async def aclose(self) -> None:
        """End the connection; calls still running end in PeerUnavailable."""
        await self._channel.close(None)

    async def _ask(self, asks: Sequence[Ask], ring: int, until: float) -> None:
        now = asyncio.get_running_loop().time
        if len(asks) == 1:
            await self._get_one(asks[0], ring, until - now())
            return
        if now() >= self._batches_from:
            try:
                await self._get_batch(asks, ring, until)
            except UnexpectedStatus as error:
                if error.status != UNIMPLEMENTED:
                    raise
                self._batches_from = now() + NO_BATCHES_SECONDS
            else:
                return
        await _together(self._ask_in_turn(ask, ring, until) for ask in asks)

    async def _ask_apart(self, asks: Sequence[Ask], ring: int, until: float) -> None:
        try:
            await self._ask(asks, ring, until)
        except CacheError as error:
            for ask in asks:
                ask.settle(error)

    async def _ask_in_turn(self, ask: Ask, ring: int, until: float) -> None:
        async with self._single_gets:
            await self._ask_apart([ask], ring, until)

    async def _get_one(self, ask: Ask, ring: int, timeout: float) -> None:
        try:
            request = GetRequest(group=ask.group, key=ask.key)
        except UnicodeEncodeError as error:
            raise InvalidKey from error
        fields = write_caller(Caller(ring, ask.trace, ask.forwarded, ask.demand))
        try:  # as `with self._errors()` does, but cheaper
            call = self._get(request, timeout=_deadline(timeout), metadata=fields)
            data = await call
            trailers = await call.trailing_metadata()
        except FAILURES as error:
            raise self._error(error) from error
        value = self._parse(GetResponse, data).value
        ask.settle(read_answer(trailers.get(ANSWER), value, node=self._node))

    async def _get_batch(self, asks: Sequence[Ask], ring: int, until: float) -> None:
        now = asyncio.get_running_loop().time
        is_peeked, hits = self._peeks, 0
        with self._errors():
            if is_peeked:
                request = write_batch(asks, ring)
                data = await self._batch_peek(request, timeout=_deadline(until - now()))
                hits = self._settle(data, asks)
            rest = [ask for ask in asks if not ask.is_settled]
            if rest:
                request = write_batch(rest, ring, peeked=is_peeked)
                call = self._batch_get(request, timeout=_deadline(until - now()))
                async for data in call:
                    hits += self._settle(data, rest)
        self._peeks = 2 * hits >= len(asks)
        if not all(ask.is_settled for ask in rest):
            raise self._malformed(pb.BatchGetResponse)

    def _settle(self, data: bytes, asks: Sequence[Ask]) -> int:
        return settle(self._parse(pb.BatchGetResponse, data), asks, node=self._node)

    async def _hand_over(self, message: HandOver, timeout: float) -> tuple[Handed, ...]:
        handed: list[Handed] = []
        with self._errors():
            call = self._stream("HandOver")(write_hand_over(message), timeout=_deadline(timeout))
            async for data in call:
                handed += read_handed(self._parse(pb.HandOverResponse, data))
        return tuple(handed)

    async def _acknowledge(self, request: pb.AcknowledgeRequest) -> None:
        await self._send("Acknowledge", request, pb.AcknowledgeResponse, ACK_SECONDS)

    async def _send(self, method: str, request: Protobuf, response: type[R], timeout: float) -> R:
        with self._errors():
            data = await self._unary(CLUSTER + method)(request, timeout=_deadline(timeout))
        return self._parse(response, data)

    def _unary(self, path: str) -> "grpc.aio.UnaryUnaryMultiCallable[Protobuf, bytes]":
        return self._channel.unary_unary(path, _serialize, bytes)

    def _stream(self, method: str) -> "grpc.aio.UnaryStreamMultiCallable[Protobuf, bytes]":
        return self._channel.unary_stream(CLUSTER + method, _serialize, bytes)

    def _parse(self, kind: type[R], data: bytes) -> R:
        try:
            return kind.FromString(data)
        except DecodeError as error:
            raise self._malformed(kind) from error

    def _malformed(self, kind: type[Protobuf]) -> UnexpectedStatus:
        words = f"the answer is no {kind.DESCRIPTOR.name}"
        return UnexpectedStatus(words, status="INTERNAL", node=self._node)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn one of FAILURES into a CacheError, except where the caller itself was cancelled."""
        try:
            yield
        except FAILURES as error:
            raise self._error(error) from error

    def _error(self, error: BaseException) -> CacheError:
        """Return the CacheError that one of FAILURES means, or raise the caller's cancellation."""
        if isinstance(error, grpc.aio.AioRpcError):
            # types-grpcio declares a class of its own here; at run time these are pairs
            trailers = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata())
            return from_status(error.code(), error.details() or "", trailers, node=self._node)
        if isinstance(error, asyncio.CancelledError) and _is_cancelled():
            raise error
        return PeerUnavailable(f"the connection to node {self._node} was closed", node=self._node)


async def _together(calls: Iterable[Coroutine[None, None, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(call)


def _deadline(timeout: float) -> float | None:
    return timeout if timeout < ENDLESS_SECONDS else None


def _serialize(message: Protobuf) -> bytes:
    return message.SerializeToString()


def _is_cancelled() -> bool:
    """Return whether the caller was cancelled; if not, a closed channel has ended the call."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

"""A client's end on gRPC's own library: in the place of ours, the other half of a test."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, TypeVar, cast

import grpc.aio
from google.protobuf.message import Message as Protobuf
from task_peer import TaskPeer

from cache_core.address import Address
from cache_core.cluster.peer import Ask
from cache_core.cluster.watchers import ACK_SECONDS
from cache_core.errors import CacheError, InvalidKey, PeerUnavailable
from cache_core.messages import Handed, HandOver, Message, Notice
from cache_core.pb import cluster_pb2 as pb
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.channel import CLUSTER, GET
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.key_calls import malformed, parse
from cache_core.rpc.wire.batch import chunks, settle, write_batch
from cache_core.rpc.wire.codec import read_handed, read_notice, row_of, write_hand_over
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES
from cache_core.rpc.wire.metadata import ANSWER, Caller, read_answer, write_caller
from cache_core.rpc.wire.status import from_status

A = TypeVar("A")

FAILURES: Final = (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.CancelledError)
"""The exceptions that a call of gRPC ends in; the last two also come of a closed channel."""

ENDLESS_SECONDS: Final = 1e8
"""From here on, a timeout is sent as no deadline: one too far away overflows in gRPC."""

OPTIONS: Final = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.use_local_subchannel_pool", 1),  # else all channels to a node share a connection
)


class GrpcioChannel(TaskPeer):
    """A Watchable Peer at `address`, as our Channel is one, by grpc.aio and the same messages.

    It differs in these ways. Keys that are asked for together go in `BatchGet` alone, without a
    `BatchPeek` before it, and a node has to know it; a node has to know `Probe`, too. It goes by
    the proxy that the environment names, has no TLS, and pings no node that is silent.
    """

    def __init__(self, address: Address) -> None:
        self._node = str(address)
        self._channel = grpc.aio.insecure_channel(self._node, options=OPTIONS)

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:
        """Settle each of `asks`. Raises CacheError where one call has them all, and fails."""
        until = asyncio.get_running_loop().time() + timeout
        calls = [list(asks)] if len(asks) == 1 else list(chunks(asks))
        if len(calls) == 1:
            await self._ask(calls[0], ring, until)
        else:
            await asyncio.gather(*(self._ask_apart(call, ring, until) for call in calls))

    async def send(self, message: Message[A], *, timeout: float) -> A:
        """Return the node's answer to `message`. Raises CacheError."""
        if isinstance(message, HandOver):
            return cast("A", await self._hand_over(message, timeout))
        row = row_of(message)
        try:
            request = row.write(message)
        except UnicodeEncodeError as error:
            raise InvalidKey from error
        data, _ = await self._unary(CLUSTER + row.method, request, timeout)
        try:
            return row.read_answer(parse(row.response, data, self._node))
        except ValueError as error:
            raise malformed(row.response, self._node) from error

    async def watch(self) -> AsyncGenerator[Notice, None]:
        """Yield the node's notices until it ends them. Raises CacheError."""
        silence: float | None = None
        async with contextlib.aclosing(self._stream("Watch", pb.WatchRequest())) as messages:
            while True:
                try:
                    async with asyncio.timeout(silence):
                        data = await anext(messages, None)
                except TimeoutError as error:
                    words = f"node {self._node} is silent"
                    raise PeerUnavailable(words, node=self._node) from error
                if data is None:
                    return
                notice = read_notice(parse(pb.Notice, data, self._node))
                silence = notice.silence
                yield notice

    async def acknowledge(self, watcher: str, sequence: int) -> None:
        """Tell the node that `watcher` has dropped its copies up to `sequence`."""
        await self._acknowledge(pb.AcknowledgeRequest(watcher=watcher, sequence=sequence))

    async def leave(self, watcher: str) -> None:
        """Tell the node that `watcher` holds no copies any more."""
        await self._acknowledge(pb.AcknowledgeRequest(watcher=watcher, leaves=True))

    async def aclose(self) -> None:
        """End the connection; calls still running end in PeerUnavailable."""
        await self._channel.close(None)

    async def _hand_over(self, message: HandOver, timeout: float) -> tuple[Handed, ...]:
        handed: list[Handed] = []
        stream = self._stream("HandOver", write_hand_over(message), timeout)
        async with contextlib.aclosing(stream) as messages:
            async for data in messages:
                handed += read_handed(parse(pb.HandOverResponse, data, self._node))
        return tuple(handed)

    async def _acknowledge(self, request: pb.AcknowledgeRequest) -> None:
        await self._unary(CLUSTER + "Acknowledge", request, ACK_SECONDS)

    async def _ask_apart(self, asks: Sequence[Ask], ring: int, until: float) -> None:
        try:
            await self._ask(asks, ring, until)
        except CacheError as error:
            for ask in asks:
                ask.settle(error)

    async def _ask(self, asks: Sequence[Ask], ring: int, until: float) -> None:
        left = until - asyncio.get_running_loop().time()
        if len(asks) == 1:
            await self._get_one(asks[0], ring, left)
            return
        stream = self._stream("BatchGet", write_batch(asks, ring), left)
        async with contextlib.aclosing(stream) as messages:
            async for data in messages:
                settle(parse(pb.BatchGetResponse, data, self._node), asks, node=self._node)
        if not all(ask.is_settled for ask in asks):
            raise malformed(pb.BatchGetResponse, self._node)

    async def _get_one(self, ask: Ask, ring: int, timeout: float) -> None:
        try:
            request = GetRequest(group=ask.group, key=ask.key)
        except UnicodeEncodeError as error:
            raise InvalidKey from error
        fields = write_caller(Caller(ring, ask.trace, ask.forwarded, ask.demand))
        data, trailers = await self._unary(GET, request, timeout, fields)
        value = parse(GetResponse, data, self._node).value
        ask.settle(read_answer(trailers.get(ANSWER), value, node=self._node))

    async def _unary(
        self,
        path: str,
        request: Protobuf,
        timeout: float,
        fields: Sequence[tuple[str, str]] = (),
    ) -> tuple[bytes, "grpc.aio.Metadata"]:
        """Return a call's answer and its trailers. Raises CacheError."""
        call = partial(self._channel.unary_unary(path, _serialize, bytes), request)
        with self._errors():
            running = call(timeout=_deadline(timeout), metadata=fields)
            return await running, await running.trailing_metadata()

    async def _stream(
        self, method: str, request: Protobuf, timeout: float = ENDLESS_SECONDS
    ) -> AsyncGenerator[bytes, None]:
        """Yield the messages of a call's answer. Raises CacheError."""
        call = self._channel.unary_stream(CLUSTER + method, _serialize, bytes)
        with self._errors():
            running = call(request, timeout=_deadline(timeout))
            try:
                async for data in running:
                    yield data
            finally:
                running.cancel()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn one of FAILURES into a CacheError, except where the caller itself was cancelled."""
        try:
            yield
        except FAILURES as error:
            if isinstance(error, grpc.aio.AioRpcError):
                # types-grpcio declares a class of its own here; at run time these are pairs
                trailers = cast("Iterable[tuple[str, Any]]", error.trailing_metadata())
                code = StatusCode[error.code().name]
                raise from_status(code, error.details() or "", trailers, node=self._node) from error
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                raise
            words = f"the connection to node {self._node} was closed"
            raise PeerUnavailable(words, node=self._node) from error


def _deadline(timeout: float) -> float | None:
    return timeout if timeout < ENDLESS_SECONDS else None


def _serialize(message: Protobuf) -> bytes:
    return message.SerializeToString()

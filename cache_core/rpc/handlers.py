"""The service's calls as gRPC's handlers: bytes in, messages out, errors as statuses."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from cache_core.address import InvalidAddress
from cache_core.errors import CacheError
from cache_core.pb import cluster_pb2, gaocache_pb2
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.codec import ROWS, Row, read_hand_over, write_handed, write_notice
from cache_core.rpc.metadata import ANSWER, read_caller, write_answer
from cache_core.rpc.running import Running
from cache_core.rpc.service import BadRequest, Service
from cache_core.rpc.status import to_status
from cache_core.value import Value

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, Any]"

Q = TypeVar("Q", bound=Message)
T = TypeVar("T")

GET_SERVICES: Final = tuple(
    service.full_name for service in gaocache_pb2.DESCRIPTOR.services_by_name.values()
)
CLUSTER: Final = cluster_pb2.DESCRIPTOR.services_by_name["Cluster"].full_name


class Handlers:
    """Answers gRPC's calls from `service`, each noted in `running`."""

    def __init__(self, service: Service, running: Running) -> None:
        self._service = service
        self._running = running

    def bind(self, server: grpc.aio.Server) -> None:
        """Let `server` answer all calls of a node."""
        get = {"Get": _unary(self._get)}
        cluster = {row.method: _unary(partial(self._receive, row)) for row in ROWS} | {
            "Acknowledge": _unary(self._acknowledge),
            "BatchPeek": _unary(self._batch_peek),
            "BatchGet": _stream(self._batch_get),
            "HandOver": _stream(self._hand_over),
            "Watch": _stream(self._watch),
        }
        server.add_generic_rpc_handlers(
            (
                *(grpc.method_handlers_generic_handler(name, get) for name in GET_SERVICES),
                grpc.method_handlers_generic_handler(CLUSTER, cluster),
            )
        )

    async def _get(self, data: bytes, context: Context) -> GetResponse:
        await self._running.come()
        with self._running:
            try:
                caller = read_caller(context.invocation_metadata() or ())
                found = self._service.get(_parse(GetRequest, data), caller)
                value = found if isinstance(found, Value) else await self._running.wait(found)
            except (CacheError, BadRequest) as error:
                await _abort(context, error)
            name = self._service.participant.name
            context.set_trailing_metadata(((ANSWER, write_answer(value, node=name)),))
            return GetResponse(value=value.data)

    async def _batch_peek(self, data: bytes, context: Context) -> Message:
        async def answer() -> Message:
            return self._service.batch_peek(_parse(cluster_pb2.BatchGetRequest, data))

        return await self._answer(context, answer)

    async def _batch_get(self, data: bytes, context: Context) -> None:
        async def answer() -> None:
            request = _parse(cluster_pb2.BatchGetRequest, data)
            await self._service.batch_get(request, context.write)

        await self._answer(context, answer)

    async def _receive(
        self, row: Row[Any, Any, Any, Any], data: bytes, context: Context
    ) -> Message:
        async def answer() -> Message:
            message = row.read(_parse(row.request, data), context.time_remaining())
            response: Message = row.write_answer(await self._service.participant.receive(message))
            return response

        return await self._answer(context, answer)

    async def _hand_over(self, data: bytes, context: Context) -> None:
        async def answer() -> None:
            message = read_hand_over(_parse(cluster_pb2.HandOverRequest, data))
            for response in write_handed(await self._service.participant.receive(message)):
                await context.write(response)

        await self._answer(context, answer)

    async def _acknowledge(self, data: bytes, context: Context) -> Message:
        async def answer() -> Message:
            request = _parse(cluster_pb2.AcknowledgeRequest, data)
            self._service.participant.watchers.acknowledge(request.watcher, request.sequence)
            return cluster_pb2.AcknowledgeResponse()

        return await self._answer(context, answer)

    async def _watch(self, _data: bytes, context: Context) -> None:
        await self._running.come()
        try:
            notices = self._service.watch(context.peer())
        except CacheError as error:
            await _abort(context, error)
        async with contextlib.aclosing(notices):
            async for notice in notices:
                try:
                    async with asyncio.timeout(notice.silence):
                        await context.write(write_notice(notice))
                except TimeoutError:
                    return  # whoever reads so slowly does not count on the stream any more

    async def _answer(self, context: Context, answer: Callable[[], Awaitable[T]]) -> T:
        await self._running.come()
        with self._running:
            try:
                return await self._running.wait(answer())
            except (CacheError, BadRequest, InvalidAddress) as error:
                await _abort(context, error)


def _unary(
    handler: Callable[[bytes, Context], Awaitable[Message]],
) -> "grpc.RpcMethodHandler[bytes, Message]":
    return grpc.unary_unary_rpc_method_handler(handler, response_serializer=_serialize)


def _stream(
    handler: Callable[[bytes, Context], Awaitable[None]],
) -> "grpc.RpcMethodHandler[bytes, Message]":
    return grpc.unary_stream_rpc_method_handler(handler, response_serializer=_serialize)


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _parse(kind: type[Q], data: bytes) -> Q:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise BadRequest(f"the request is no {kind.DESCRIPTOR.name}") from error


async def _abort(context: Context, error: CacheError | BadRequest | InvalidAddress) -> NoReturn:
    if not isinstance(error, CacheError):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    await context.abort(*to_status(error))

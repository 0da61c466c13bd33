"""The service's calls as handlers for grpcio, which turn errors into gRPC statuses."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NoReturn, TypeAlias, TypeVar

import grpc
import grpc.aio

from cache_core.rpc.calls import (
    CLUSTER,
    GET_SERVICES,
    REFUSALS,
    Calls,
    Refusal,
    Send,
    status_of,
)
from cache_core.rpc.grpcio.draining import RunningCalls
from cache_core.rpc.service import Service
from cache_core.rpc.wire.codec import ROWS, Row
from cache_core.rpc.wire.get import write_response
from cache_core.rpc.wire.metadata import ANSWER, read_caller, write_answer
from cache_core.value import Value

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, Any]"

T = TypeVar("T")


class Handlers:
    """Handlers that answer grpcio's calls from `service`.

    `running` counts the calls that a stop waits for, and holds new calls back during a stop.
    """

    def __init__(self, service: Service, running: RunningCalls) -> None:
        self._calls = Calls(service)
        self._name = service.participant.name
        self._running = running

    def bind(self, server: grpc.aio.Server) -> None:
        """Let `server` answer all calls of a node.

        The handlers are generic: for a registered method, grpcio keeps a wait of its own, which
        costs every call more than it saves. The handlers of Get come first, because grpcio asks
        the handlers in their order.
        """
        get = {"Get": grpc.unary_unary_rpc_method_handler(self._get)}
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

    async def _get(self, data: bytes, context: Context) -> bytes:
        running = self._running
        if running.holds_back:
            await running.come()
        try:
            found = self._calls.get(data, read_caller(context.invocation_metadata() or ()))
            if not isinstance(found, Value):
                with running:
                    found = await running.wait(found)
        except REFUSALS as error:
            await _abort(context, error)
        context.set_trailing_metadata(((ANSWER, write_answer(found, node=self._name)),))
        return write_response(found.data)

    async def _batch_peek(self, data: bytes, context: Context) -> bytes:
        if self._running.holds_back:
            await self._running.come()
        try:
            return self._calls.batch_peek(data)[0]
        except REFUSALS as error:
            await _abort(context, error)

    async def _batch_get(self, data: bytes, context: Context) -> None:
        await self._answer(context, self._calls.batch_get, data, _sending(context))

    async def _receive(self, row: Row[Any, Any, Any, Any], data: bytes, context: Context) -> bytes:
        left = context.time_remaining()
        return await self._answer(context, self._calls.receive, row, data, left)

    async def _hand_over(self, data: bytes, context: Context) -> None:
        await self._answer(context, self._calls.hand_over, data, _sending(context))

    async def _acknowledge(self, data: bytes, context: Context) -> bytes:
        return await self._answer(context, self._calls.acknowledge, data)

    async def _watch(self, _data: bytes, context: Context) -> None:
        await self._running.come()
        try:
            await self._calls.watch(context.peer(), _sending(context))
        except REFUSALS as error:
            await _abort(context, error)

    async def _answer(
        self, context: Context, call: Callable[..., Awaitable[T]], *arguments: object
    ) -> T:
        await self._running.come()
        with self._running:
            try:
                return await self._running.wait(call(*arguments))
            except REFUSALS as error:
                await _abort(context, error)


def _unary(
    handler: Callable[[bytes, Context], Awaitable[bytes]],
) -> "grpc.RpcMethodHandler[bytes, bytes]":
    return grpc.unary_unary_rpc_method_handler(handler)


def _stream(
    handler: Callable[[bytes, Context], Awaitable[None]],
) -> "grpc.RpcMethodHandler[bytes, bytes]":
    return grpc.unary_stream_rpc_method_handler(handler)


def _sending(context: Context) -> Send:
    async def send(make: Callable[[], bytes]) -> None:
        await context.write(make())

    return send


async def _abort(context: Context, error: Refusal) -> NoReturn:
    code, words, trailers = status_of(error)
    await context.abort(grpc.StatusCode[code.name], words, trailers)

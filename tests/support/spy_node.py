"""A gRPC server that speaks Get and remembers how it was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio

from cache_core.errors import CacheError
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.channel import GET
from cache_core.rpc.wire.status import to_status


class SpyNode:
    """Answers each Get with the next of `outcomes`, then with `630`, once the gate is open."""

    def __init__(self, *outcomes: CacheError) -> None:
        self.address = ""
        self.gate = asyncio.Event()
        self.gate.set()
        self.times_left: list[float] = []
        self.fields: list[dict[str, str | bytes]] = []
        self._outcomes = list(outcomes)

    async def get(
        self, _: GetRequest, context: "grpc.aio.ServicerContext[GetRequest, GetResponse]"
    ) -> GetResponse:
        self.times_left.append(context.time_remaining())
        self.fields.append(dict(context.invocation_metadata() or ()))
        await self.gate.wait()
        if self._outcomes:
            code, words, trailers = to_status(self._outcomes.pop(0))
            await context.abort(grpc.StatusCode[code.name], words, trailers)
        return GetResponse(value=b"630")

    def service(
        self, details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[GetRequest, GetResponse] | None":
        """Find the handler of a call, as gRPC asks for it."""
        if details.method != GET:
            return None
        return grpc.unary_unary_rpc_method_handler(
            self.get, GetRequest.FromString, GetResponse.SerializeToString
        )


@asynccontextmanager
async def spying(spy: SpyNode) -> AsyncIterator[SpyNode]:
    """Serve `spy` at a free port, its `address`."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((spy,))  # type: ignore[arg-type] # it is one by shape
    spy.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield spy
    finally:
        spy.gate.set()
        await server.stop(None)

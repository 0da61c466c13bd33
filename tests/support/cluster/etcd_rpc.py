"""A server that answers etcd's calls as a test says, and the calls of a small store."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import grpc
from aetcd import rpc

from cache_core.address import Address

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_UNARY: Final = {
    "range": ("etcdserverpb.KV", "Range"),
    "put": ("etcdserverpb.KV", "Put"),
    "grant": ("etcdserverpb.Lease", "LeaseGrant"),
    "revoke": ("etcdserverpb.Lease", "LeaseRevoke"),
    "authenticate": ("etcdserverpb.Auth", "Authenticate"),
}
_STREAMS: Final = {
    "watch": ("etcdserverpb.Watch", "Watch"),
    "keep_alive": ("etcdserverpb.Lease", "LeaseKeepAlive"),
}


@asynccontextmanager
async def serving(calls: object) -> AsyncIterator[Address]:
    """Serve those of etcd's calls that are methods of `calls`; yield the server's address."""
    server = grpc.aio.server()
    for names, handler_of in (
        (_UNARY, grpc.unary_unary_rpc_method_handler),
        (_STREAMS, grpc.stream_stream_rpc_method_handler),
    ):
        for name, (service, method) in names.items():
            if call := getattr(calls, name, None):
                kind = "Lease" + method if method == "KeepAlive" else method
                request = getattr(rpc, f"{kind}Request")
                response = getattr(rpc, f"{kind}Response")
                handler = handler_of(call, request.FromString, response.SerializeToString)
                server.add_generic_rpc_handlers(
                    [grpc.method_handlers_generic_handler(service, {method: handler})]
                )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield Address("127.0.0.1", port)
    finally:
        await server.stop(None)


class RpcStore:
    """Keys, one lease and one watch; each call first awaits `before` with its name."""

    TOKEN: Final = "t0ken"

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}
        self.leases: dict[bytes, int] = {}
        self.granted: list[int] = []
        self.revoked: list[int] = []
        self.left = 5
        self.names: list[tuple[str, str]] = []
        self.tokens: set[str | bytes | None] = set()
        self.watching: asyncio.Queue[rpc.WatchCreateRequest] = asyncio.Queue()
        self.told: asyncio.Queue[rpc.WatchResponse] = asyncio.Queue()
        self.unwatched = asyncio.Event()
        self.before: Callable[[str, Context], Awaitable[None]] | None = None

    async def _call(self, name: str, context: Context) -> None:
        self.tokens.add(dict(context.invocation_metadata() or ()).get("token"))
        if self.before is not None:
            await self.before(name, context)

    async def authenticate(
        self, request: rpc.AuthenticateRequest, context: Context
    ) -> rpc.AuthenticateResponse:
        await self._call("authenticate", context)
        self.names.append((request.name, request.password))
        return rpc.AuthenticateResponse(token=self.TOKEN)

    async def range(self, request: rpc.RangeRequest, context: Context) -> rpc.RangeResponse:
        await self._call("range", context)
        return rpc.RangeResponse(
            header=rpc.ResponseHeader(revision=42),
            kvs=[
                rpc.KeyValue(key=key, value=value)
                for key, value in self.entries.items()
                if request.key <= key < request.range_end
            ],
        )

    async def put(self, request: rpc.PutRequest, context: Context) -> rpc.PutResponse:
        await self._call("put", context)
        self.entries[request.key] = request.value
        self.leases[request.key] = request.lease
        return rpc.PutResponse()

    async def grant(
        self, request: rpc.LeaseGrantRequest, context: Context
    ) -> rpc.LeaseGrantResponse:
        await self._call("grant", context)
        self.granted.append(request.TTL)
        return rpc.LeaseGrantResponse(ID=77, TTL=request.TTL)

    async def revoke(
        self, request: rpc.LeaseRevokeRequest, context: Context
    ) -> rpc.LeaseRevokeResponse:
        await self._call("revoke", context)
        self.revoked.append(request.ID)
        return rpc.LeaseRevokeResponse()

    async def keep_alive(
        self, requests: AsyncIterator[rpc.LeaseKeepAliveRequest], context: Context
    ) -> AsyncIterator[rpc.LeaseKeepAliveResponse]:
        await self._call("keep_alive", context)
        async for request in requests:
            yield rpc.LeaseKeepAliveResponse(ID=request.ID, TTL=self.left)

    async def watch(
        self, requests: AsyncIterator[rpc.WatchRequest], context: Context
    ) -> AsyncIterator[rpc.WatchResponse]:
        await self._call("watch", context)
        try:
            self.watching.put_nowait((await anext(requests)).create_request)
            yield rpc.WatchResponse(created=True)
            while True:
                yield await self.told.get()
        finally:
            self.unwatched.set()

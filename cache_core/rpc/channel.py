"""The client's end of one kept connection to a node."""

import asyncio
from typing import TYPE_CHECKING, Final, cast

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from cache_core.address import Address
from cache_core.errors import PeerUnavailable, UnexpectedStatus
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.limits import KEEPALIVE_MS, MAX_MESSAGE_BYTES
from cache_core.rpc.status import from_status
from cache_core.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

GET: Final = "/gaocachepb.Gaocache/Get"
ENDLESS_SECONDS: Final = 1e8
"""A timeout of three years and more is none: a deadline too far away overflows in gRPC."""

OPTIONS: Final = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    # A node that comes back is found within a second, not within gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # Nodes are asked directly, whatever proxy the environment names for the outside world.
    ("grpc.enable_http_proxy", 0),
)


class Channel:
    """A connection to the node at `address`, opened by the first call and kept.

    Belongs to the event loop it is made in.
    """

    def __init__(self, address: Address) -> None:
        self._node = str(address)
        self._channel = grpc.aio.insecure_channel(self._node, options=OPTIONS)
        self._get: grpc.aio.UnaryUnaryMultiCallable[GetRequest, bytes] = self._channel.unary_unary(
            GET,
            request_serializer=GetRequest.SerializeToString,
            response_deserializer=bytes,
        )

    async def get(self, group: str, key: str, *, timeout: float) -> Value:
        """Return the node's answer within `timeout` seconds; infinity is no deadline.

        Raises CacheError.
        """
        deadline = timeout if timeout < ENDLESS_SECONDS else None
        try:
            response = await self._get(GetRequest(group=group, key=key), timeout=deadline)
        except grpc.aio.AioRpcError as error:
            raise from_status(
                error.code(),
                error.details() or "",
                # types-grpcio has a class of its own here; what comes are pairs
                cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata()),
                node=self._node,
            ) from error
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            raise PeerUnavailable(
                f"the connection to node {self._node} was closed", node=self._node
            ) from error
        try:
            return Value(GetResponse.FromString(response).value)
        except DecodeError as error:
            raise UnexpectedStatus(
                "the answer is no GetResponse", status="INTERNAL", node=self._node
            ) from error

    async def aclose(self) -> None:
        """End the connection; calls still running end in PeerUnavailable."""
        await self._channel.close(None)


def _is_cancelled() -> bool:
    """Tell a caller that was cancelled from a call that the closed channel ended."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

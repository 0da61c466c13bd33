"""The service's calls on serialised messages. Knows no engine.

A client is told of the errors in REFUSALS, with the status that `status_of` returns.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from google.protobuf.message import DecodeError, Message

from cache_core.address import InvalidAddress
from cache_core.errors import CacheError
from cache_core.pb import cluster_pb2, gaocache_pb2
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.service import BadRequest, Service
from cache_core.rpc.wire.batch import Make
from cache_core.rpc.wire.codec import Row, read_hand_over, write_handed, write_notice
from cache_core.rpc.wire.get import Unreadable, read_request
from cache_core.rpc.wire.metadata import Caller
from cache_core.rpc.wire.status import Trailers, to_status
from cache_core.value import Value

Q = TypeVar("Q", bound=Message)

Refusal: TypeAlias = CacheError | BadRequest | InvalidAddress
Send: TypeAlias = Callable[[Callable[[], bytes]], Awaitable[None]]
"""Makes a message and sends it once there is room, and returns once there is room for another."""

REFUSALS: Final = (CacheError, BadRequest, InvalidAddress)

GET_SERVICES: Final = tuple(
    service.full_name for service in gaocache_pb2.DESCRIPTOR.services_by_name.values()
)
CLUSTER: Final = cluster_pb2.DESCRIPTOR.services_by_name["Cluster"].full_name
SERVICES: Final = (*GET_SERVICES, CLUSTER)

_MOST: Final = {"items": 32_768, "missed": 32_768, "unreached": 2_048}
"""How many of these a message between nodes has at the most: what is owed to a node fits."""


class Calls:
    """The calls of `service`, from a request's bytes to the answer.

    An answer of several messages is passed to the call's `send`, one message after the other.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._get = service.get

    def get(self, data: bytes, caller: Caller) -> Value | Coroutine[None, None, Value]:
        """Return the value that the GetRequest in `data` asks for, or a coroutine of it.

        Raises BadRequest where `data` is no GetRequest, and the errors of Service.get.
        """
        try:
            group, key = read_request(data)
        except Unreadable as error:
            raise _not(gaocache_pb2.GetRequest) from error
        return self._get(group, key, caller)

    def batch_peek(self, data: bytes) -> tuple[bytes, int]:
        """Return the outcomes of the batch in `data` that are known at once, in one message.

        It comes with how many keys were asked for.

        Raises BadRequest and PeerUnavailable.
        """
        request = _parse(cluster_pb2.BatchGetRequest, data)
        return self._service.batch_peek(request).SerializeToString(), len(request.keys)

    async def batch_get(
        self, data: bytes, send: Send, hold: Callable[[int], None] = lambda _: None
    ) -> None:
        """Send the outcomes of the batch in `data`; `hold` as in Service.batch_get.

        Raises BadRequest and PeerUnavailable.
        """

        async def write(make: Make) -> None:
            await send(partial(_serialised, make))

        request = _parse(cluster_pb2.BatchGetRequest, data)
        await self._service.batch_get(request, write, hold)

    async def receive(
        self, row: Row[Any, Any, Any, Any], data: bytes, time_left: float | None
    ) -> bytes:
        """Return the node's answer to the message in `data`; `row` says how both travel.

        `time_left` is the seconds that the call has left, None for no deadline. Raises BadRequest,
        InvalidAddress and CacheError.
        """
        request = _parse(row.request, data)
        _check_counts(request)
        message = row.read(request, time_left)
        answer: Message = row.write_answer(await self._service.participant.receive(message))
        return answer.SerializeToString()

    async def hand_over(self, data: bytes, send: Send) -> None:
        """Send the entries that this node hands over to the node that asks.

        Raises BadRequest, InvalidAddress and CacheError.
        """
        message = read_hand_over(_parse(cluster_pb2.HandOverRequest, data))
        for make in write_handed(await self._service.participant.receive(message)):
            await send(partial(_serialised, make))

    async def acknowledge(self, data: bytes) -> bytes:
        """Note that a watcher has dropped the copies that it was told of, or that it leaves.

        Raises BadRequest.
        """
        request = _parse(cluster_pb2.AcknowledgeRequest, data)
        watchers = self._service.participant.watchers
        if request.leaves:
            watchers.leave(request.watcher)
        else:
            watchers.acknowledge(request.watcher, request.sequence)
        return cluster_pb2.AcknowledgeResponse().SerializeToString()

    async def watch(self, name: str, send: Send) -> None:
        """Send the notices of removals to the watcher `name`, until the node ends the watcher.

        Raises PeerUnavailable.
        """
        async with contextlib.aclosing(self._service.watch(name)) as notices:
            async for notice in notices:
                try:
                    async with asyncio.timeout(notice.silence):
                        await send(write_notice(notice).SerializeToString)
                except TimeoutError:
                    return  # a watcher that reads so slowly takes itself for uncovered by now


def status_of(error: Refusal) -> tuple[StatusCode, str, Trailers]:
    """Return the code, the words and the trailing metadata that `error` travels as."""
    if isinstance(error, CacheError):
        return to_status(error)
    return StatusCode.INVALID_ARGUMENT, str(error), ()


def _check_counts(request: Message) -> None:
    """Raise BadRequest where more is listed than nodes ever tell: it would hold the node up."""
    for field, most in _MOST.items():
        if len(getattr(request, field, ())) > most:
            raise BadRequest(f"a message should have at most {most} {field}")


def _serialised(make: Callable[[], Message]) -> bytes:
    return make().SerializeToString()


def _parse(kind: type[Q], data: bytes) -> Q:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise _not(kind) from error


def _not(kind: type[Message]) -> BadRequest:
    return BadRequest(f"the request is no {kind.DESCRIPTOR.name}")

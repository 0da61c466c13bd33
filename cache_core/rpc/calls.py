"""The service's calls from bytes to bytes, whichever engine carries them.

What they raise and a caller is told of is in REFUSALS, and `status_of` says as what.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeAlias, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from cache_core.address import InvalidAddress
from cache_core.errors import CacheError
from cache_core.pb import cluster_pb2, gaocache_pb2
from cache_core.rpc.service import BadRequest, Service
from cache_core.rpc.wire.codec import Row, read_hand_over, write_handed, write_notice
from cache_core.rpc.wire.metadata import Fields, read_caller
from cache_core.rpc.wire.status import Trailers, to_status
from cache_core.value import Value

Q = TypeVar("Q", bound=Message)

Refusal: TypeAlias = CacheError | BadRequest | InvalidAddress
Send: TypeAlias = Callable[[bytes], Awaitable[None]]

REFUSALS: Final = (CacheError, BadRequest, InvalidAddress)

GET_SERVICES: Final = tuple(
    service.full_name for service in gaocache_pb2.DESCRIPTOR.services_by_name.values()
)
CLUSTER: Final = cluster_pb2.DESCRIPTOR.services_by_name["Cluster"].full_name
SERVICES: Final = (*GET_SERVICES, CLUSTER)


class Calls:
    """Answers what comes as bytes from `service`; an answer of several messages is sent."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._get = service.get
        self._parse_get = gaocache_pb2.GetRequest.FromString

    def get(self, data: bytes, fields: Fields) -> Value | Coroutine[None, None, Value]:
        """Return the value that `data` asks for, as Service.get does."""
        try:
            request = self._parse_get(data)
        except DecodeError as error:
            raise _not(gaocache_pb2.GetRequest) from error
        return self._get(request, read_caller(fields))

    def batch_peek(self, data: bytes) -> bytes:
        """Return what is known at once of a batch."""
        request = _parse(cluster_pb2.BatchGetRequest, data)
        return self._service.batch_peek(request).SerializeToString()

    async def batch_get(self, data: bytes, send: Send) -> None:
        """Send the outcomes of a batch."""

        async def write(response: cluster_pb2.BatchGetResponse) -> None:
            await send(response.SerializeToString())

        await self._service.batch_get(_parse(cluster_pb2.BatchGetRequest, data), write)

    async def receive(
        self, row: Row[Any, Any, Any, Any], data: bytes, time_left: float | None
    ) -> bytes:
        """Return the answer to a message of the kind that `row` is about."""
        message = row.read(_parse(row.request, data), time_left)
        answer: Message = row.write_answer(await self._service.participant.receive(message))
        return answer.SerializeToString()

    async def hand_over(self, data: bytes, send: Send) -> None:
        """Send what is handed over to the node that asks."""
        message = read_hand_over(_parse(cluster_pb2.HandOverRequest, data))
        for response in write_handed(await self._service.participant.receive(message)):
            await send(response.SerializeToString())

    async def acknowledge(self, data: bytes) -> bytes:
        """Note what a watcher has heard."""
        request = _parse(cluster_pb2.AcknowledgeRequest, data)
        watchers = self._service.participant.watchers
        if request.leaves:
            watchers.leave(request.watcher)
        else:
            watchers.acknowledge(request.watcher, request.sequence)
        return cluster_pb2.AcknowledgeResponse().SerializeToString()

    async def watch(self, name: str, send: Send) -> None:
        """Send what is removed to the watcher `name`, until it is no longer waited for."""
        async with contextlib.aclosing(self._service.watch(name)) as notices:
            async for notice in notices:
                try:
                    async with asyncio.timeout(notice.silence):
                        await send(write_notice(notice).SerializeToString())
                except TimeoutError:
                    return  # whoever reads so slowly does not count on the stream any more


def write_get(value: Value) -> bytes:
    """Return `value` as a GetResponse's bytes, made by hand to copy the value once.

    It is the message's one field: its number and type, its length in groups of seven bits, the
    lowest first, and the bytes; nothing where they are empty.
    """
    data = value.data
    size = len(data)
    if size < 0x80:
        return b"\n%c%b" % (size, data) if size else b""
    length = bytearray()
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return b"\n%b%b" % (bytes(length), data)


def status_of(error: Refusal) -> tuple[grpc.StatusCode, str, Trailers]:
    """Return the code, the words and the trailing metadata that `error` travels as."""
    if isinstance(error, CacheError):
        return to_status(error)
    return grpc.StatusCode.INVALID_ARGUMENT, str(error), ()


def _parse(kind: type[Q], data: bytes) -> Q:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise _not(kind) from error


def _not(kind: type[Message]) -> BadRequest:
    return BadRequest(f"the request is no {kind.DESCRIPTOR.name}")

"""The client's end of one kept connection to a node."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator
from functools import lru_cache, partial
from math import inf
from typing import Final, TypeVar, cast

from google.protobuf.message import Message as Protobuf

from cache_core.address import Address
from cache_core.cluster.watchers import ACK_SECONDS
from cache_core.errors import (
    CacheError,
    DeadlineExceeded,
    InvalidKey,
    PeerUnavailable,
    UnexpectedStatus,
)
from cache_core.messages import Handed, HandOver, Message, Notice, Probe, Probed
from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.asks import UNIMPLEMENTED, Asks
from cache_core.rpc.grpc.client_call import Ended
from cache_core.rpc.grpc.heads import Metadata
from cache_core.rpc.grpc.requests import request_block, timed
from cache_core.rpc.key_calls import malformed, parse
from cache_core.rpc.transport.answers import Answer, Answers
from cache_core.rpc.transport.way import Way
from cache_core.rpc.wire.codec import read_handed, read_notice, row_of, write_hand_over
from cache_core.rpc.wire.status import from_status
from cache_core.settings import MIB

A = TypeVar("A")
R = TypeVar("R", bound=Protobuf)

MOST_HANDED_BYTES: Final = 16 * MIB
"""How much is taken of what a node hands over, which gives half of it at the most."""

GET: Final = "/gaocachepb.Gaocache/Get"
CLUSTER: Final = "/gaocache.cluster.v1.Cluster/"


class Channel:
    """A connection to the node at `address`, opened by the first call and kept: a Watchable Peer.

    With `tls` it is encrypted. Belongs to the event loop that it is made in. Timeouts are in
    seconds; infinity means no deadline.
    """

    def __init__(self, address: Address, *, tls: ssl.SSLContext | None = None) -> None:
        self._node = str(address)
        self._way = Way(address, tls=tls)
        scheme = "http" if tls is None else "https"
        self._head = lru_cache(64)(partial(_head, self._node, scheme))
        asks = Asks(self._way, self._node, self._head, self._error)
        self.ask = asks.ask
        """Settle asks, as a Peer does."""

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
            raise malformed(row.response, self._node) from error

    async def watch(self) -> AsyncGenerator[Notice, None]:
        """Yield the node's notices until it ends them; a caller that stops before closes this.

        Raises CacheError where the node can't be watched, or is silent for too long.
        """
        answers = self._stream("Watch", pb.WatchRequest(), inf)
        silence: float | None = None
        try:
            while True:
                async with asyncio.timeout(silence):
                    data = await anext(answers, None)
                if data is None:
                    return
                notice = read_notice(self._parse(pb.Notice, data))
                silence = notice.silence
                yield notice
        except TimeoutError as error:
            raise PeerUnavailable(f"node {self._node} is silent", node=self._node) from error
        except Ended as error:
            raise self._error(error) from error
        finally:
            answers.give_up()

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
        await self._way.aclose()

    async def _hand_over(self, message: HandOver, timeout: float) -> tuple[Handed, ...]:
        handed: list[Handed] = []
        size = 0
        messages = self._messages("HandOver", write_hand_over(message), timeout)
        async with contextlib.aclosing(messages):
            async for data in messages:
                handed += read_handed(self._parse(pb.HandOverResponse, data))
                size += len(data)
                if size > MOST_HANDED_BYTES:  # what has come is kept
                    break
        return tuple(handed)

    async def _acknowledge(self, request: pb.AcknowledgeRequest) -> None:
        await self._send("Acknowledge", request, pb.AcknowledgeResponse, ACK_SECONDS)

    async def _send(self, method: str, request: Protobuf, response: type[R], timeout: float) -> R:
        return self._parse(response, await self._call(method, request, timeout))

    async def _call(self, method: str, request: Protobuf, timeout: float) -> bytes:
        head = self._head(method)
        data, _ = await self._answer(head, request.SerializeToString(), timeout)
        return data

    async def _answer(self, head: bytes, request: bytes, timeout: float) -> tuple[bytes, Ended]:
        """Return the one message of a call's answer and its end. Raises CacheError."""
        if timeout <= 0:
            raise self._late()
        answer = Answer(self._way, timed(head, timeout), request)
        try:
            async with asyncio.timeout(timeout if timeout < inf else None):
                return await answer.wait()
        except TimeoutError as error:
            raise self._late() from error
        except Ended as error:
            raise self._error(error) from error

    async def _messages(
        self, method: str, request: Protobuf, timeout: float
    ) -> AsyncGenerator[bytes, None]:
        """Yield the messages of a call's answer within `timeout` seconds. Raises CacheError."""
        answers = self._stream(method, request, timeout)
        try:
            async with asyncio.timeout(timeout if timeout < inf else None):
                async for data in answers:
                    yield data
        except TimeoutError as error:
            raise self._late() from error
        except Ended as error:
            raise self._error(error) from error
        finally:
            answers.give_up()

    def _stream(self, method: str, request: Protobuf, timeout: float) -> Answers:
        head = self._head(method)
        return Answers(self._way, timed(head, timeout), request.SerializeToString())

    def _parse(self, kind: type[R], data: bytes) -> R:
        return parse(kind, data, self._node)

    def _late(self) -> DeadlineExceeded:
        words = f"node {self._node} did not answer within the deadline"
        return DeadlineExceeded(words, node=self._node)

    def _error(self, end: Ended) -> CacheError:
        if self._way.is_closed:
            words = f"the connection to node {self._node} was closed"
            return PeerUnavailable(words, node=self._node)
        error = from_status(end.code, end.words, end.metadata, node=self._node)
        error.__cause__ = end  # it has the words that an error of the connection leaves out
        return error


def _head(node: str, scheme: str, method: str, fields: Metadata = ()) -> bytes:
    path = GET if method == "Get" else CLUSTER + method
    return request_block(path, node, fields, scheme=scheme)

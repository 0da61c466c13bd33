"""The service's calls as pygrpc-native brings them. Belongs to the event loop's thread."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from ipaddress import IPv6Address
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import grpc
from pygrpc_native import (
    EVENT_CALL,
    STREAM_CLOSED,
    STREAM_SENT,
    NativeGrpcFront,
)

from cache_core.errors import PeerUnavailable
from cache_core.rpc.calls import CLUSTER, GET_SERVICES, REFUSALS, Calls, status_of, write_get
from cache_core.rpc.native.events import Details, NativeEvent
from cache_core.rpc.service import Service
from cache_core.rpc.wire.codec import ROWS, Row
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES
from cache_core.rpc.wire.metadata import ANSWER, write_answer
from cache_core.trace import NO_TRACE, current_trace
from cache_core.value import Value

logger = logging.getLogger("gaocache")

BeginCall: TypeAlias = Callable[[int, bytes, Details], None]

METHODS: Final = (
    *((f"/{service}/Get", False) for service in GET_SERVICES),
    *((f"/{CLUSTER}/{row.method}", False) for row in ROWS),
    (f"/{CLUSTER}/Acknowledge", False),
    (f"/{CLUSTER}/BatchPeek", False),
    *((f"/{CLUSTER}/{method}", True) for method in ("BatchGet", "HandOver", "Watch")),
)
"""The methods that are answered here: each one's path, and whether its answer is a stream.

An event names its method by the index in this tuple.
"""

FIRST_PAUSE: Final = 0.001
LONGEST_PAUSE: Final = 0.05
"""Seconds between tries to send on a full stream, whose readiness the library does not signal."""


class HungUp(Exception):
    """The client has gone, so there is nobody to answer."""


class TooLarge(Exception):
    """A message is larger than may be sent or taken; the error's text says so in gRPC's words."""


class NativeCalls:
    """The calls that `front` brings, and their answers from `service`.

    Hits and peeks are answered at once; every other call has a task.
    """

    def __init__(self, service: Service, front: NativeGrpcFront) -> None:
        self._calls = Calls(service)
        self._name = service.participant.name
        self._front = front
        self._tasks: dict[int, asyncio.Task[Any]] = {}
        self._watches: set[int] = set()
        self._held: set[int] | None = None
        self._ending = False
        self._begin: tuple[BeginCall, ...] = (
            *(self._get for _ in GET_SERVICES),
            *(partial(self._receive, row) for row in ROWS),
            self._acknowledge,
            self._batch_peek,
            self._batch_get,
            self._hand_over,
            self._watch,
        )

    def take(self, events: Sequence[NativeEvent]) -> None:
        """Begin the calls, and end those whose clients have gone, in the order of `events`."""
        for kind, call, method, data, _, details in events:
            if kind != EVENT_CALL:
                self._hang_up(call)
            elif self._held is not None:
                self._held.add(call)
            elif data is not None and details is not None:
                try:
                    _check(data, "Received")
                    self._begin[method](call, data, details)
                except Exception as error:  # noqa: BLE001 - one call's failure is no other's
                    self._fail(call, error)

    async def finish(self, grace: float) -> None:
        """Wait `grace` seconds at the most until only watches run; then end the other calls.

        Calls that come from then on are held back: they are never answered.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + grace
        while running := self._running():
            _, late = await asyncio.wait(running, timeout=max(0, until - loop.time()))
            if late and loop.time() >= until:
                break
        self._ending = True
        self._held = set()
        for task in self._running():
            task.cancel()

    @property
    def held_back(self) -> int:
        """How many calls are held back whose clients are still there."""
        return len(self._held or ())

    def cancel(self) -> None:
        """End the watches that are left."""
        for task in self._tasks.values():
            task.cancel()

    def _running(self) -> list[asyncio.Task[Any]]:
        return [task for call, task in self._tasks.items() if call not in self._watches]

    def _hang_up(self, call: int) -> None:
        task = self._tasks.pop(call, None)
        if task is not None:
            task.cancel()
        elif self._held is not None:
            self._held.discard(call)

    def _get(self, call: int, data: bytes, details: Details) -> None:
        found = self._calls.get(data, details[0])
        if isinstance(found, Value):
            self._give(call, found)
        else:
            self._run(call, found, self._give)

    def _receive(self, row: Row[Any, Any, Any, Any], call: int, data: bytes, said: Details) -> None:
        self._run_apart(call, self._calls.receive(row, data, said[2]), self._respond)

    def _acknowledge(self, call: int, data: bytes, _: Details) -> None:
        self._run_apart(call, self._calls.acknowledge(data), self._respond)

    def _batch_peek(self, call: int, data: bytes, _: Details) -> None:
        self._respond(call, self._calls.batch_peek(data))

    def _batch_get(self, call: int, data: bytes, _: Details) -> None:
        self._run_apart(call, self._calls.batch_get(data, partial(self._send, call)), self._end)

    def _hand_over(self, call: int, data: bytes, _: Details) -> None:
        self._run_apart(call, self._calls.hand_over(data, partial(self._send, call)), self._end)

    def _watch(self, call: int, _: bytes, details: Details) -> None:
        watch = self._calls.watch(name_of(details[1]), partial(self._send, call))
        self._watches.add(call)
        self._run_apart(call, watch, self._end)

    def _run_apart(
        self, call: int, answer: Coroutine[None, None, Any], give: Callable[[int, Any], None]
    ) -> None:
        """Run a call that has no trace; it would else run under the trace of the last Get."""
        current_trace.set(NO_TRACE)
        self._run(call, answer, give)

    def _run(
        self, call: int, answer: Coroutine[None, None, Any], give: Callable[[int, Any], None]
    ) -> None:
        self._tasks[call] = task = asyncio.create_task(answer)
        task.add_done_callback(partial(self._settle, call, give))

    def _settle(self, call: int, give: Callable[[int, Any], None], task: asyncio.Task[Any]) -> None:
        self._watches.discard(call)
        has_gone = self._tasks.pop(call, None) is None
        if task.cancelled():
            if not has_gone:
                self._fail(call, self._why_cancelled())
            return
        error = task.exception()
        try:
            if error is None:
                give(call, task.result())
        except Exception as caught:  # noqa: BLE001 - one call's failure is no other's
            error = caught
        if error is not None and not has_gone:
            self._fail(call, error)

    def _why_cancelled(self) -> BaseException:
        if self._ending:
            return PeerUnavailable("the node is stopping")
        return asyncio.CancelledError()

    def _give(self, call: int, value: Value) -> None:
        answer = write_answer(value, node=self._name)
        self._front.respond(call, write_get(value), None, ((ANSWER, answer),))

    def _respond(self, call: int, data: bytes) -> None:
        _check(data, "Sent")
        self._front.respond(call, data)

    def _end(self, call: int, _: None) -> None:
        self._front.stream_end(call)

    async def _send(self, call: int, data: bytes) -> None:
        """Send a message of a stream, as soon as the client has read enough of it.

        Raises HungUp where the client has gone.
        """
        _check(data, "Sent")
        pause = 0.0
        while (sent := self._front.stream_try_send(call, data)) != STREAM_SENT:
            if sent == STREAM_CLOSED:
                raise HungUp
            await asyncio.sleep(pause)
            pause = min(2 * pause or FIRST_PAUSE, LONGEST_PAUSE)

    def _fail(self, call: int, error: BaseException) -> None:
        if isinstance(error, REFUSALS):
            code, words, trailers = status_of(error)
            self._front.fail(call, code.value[0], words, trailers)
        elif isinstance(error, TooLarge):
            self._front.fail(call, grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], str(error))
        elif not isinstance(error, HungUp):
            logger.error("a call failed in an unforeseen way", exc_info=error)
            words = f"Unexpected {type(error)}: {error}"  # as grpcio says it
            self._front.fail(call, grpc.StatusCode.UNKNOWN.value[0], words)


def _check(data: bytes, what: str) -> None:
    if len(data) > MAX_MESSAGE_BYTES:
        sizes = f"{len(data)} vs. {MAX_MESSAGE_BYTES}"
        raise TooLarge(f"SERVER: {what} message larger than max ({sizes})")


def name_of(peer: str) -> str:
    """Return grpcio's name for `peer`, the address of a client as pygrpc-native writes it.

    grpcio names an IPv4 client of an IPv6 socket by its IPv4 address, and percent-encodes the
    brackets of IPv6: `ipv4:127.0.0.1:5`, `ipv6:%5B::1%5D:5`.
    """
    host, separator, port = peer.removeprefix("ipv6:").rpartition(":")
    if not (separator and peer.startswith("ipv6:[")):
        return peer
    mapped = IPv6Address(host[1:-1].partition("%")[0]).ipv4_mapped
    return f"ipv6:{quote(host, safe=':')}:{port}" if mapped is None else f"ipv4:{mapped}:{port}"

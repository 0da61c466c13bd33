"""A hand-written stand-in for a node without its sockets, and the server that gives it some."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from math import inf
from typing import Any, TypeAlias, TypeVar, cast

from grpcio_channel import GrpcioChannel
from task_peer import got

from cache_core import Answer, CacheError, Demand, KeyRequired, UnknownGroup, Value
from cache_core.address import Address
from cache_core.cluster.link import settling
from cache_core.cluster.peer import Ask
from cache_core.cluster.watchers import Watchers
from cache_core.messages import Message
from cache_core.rpc.channel import Channel
from cache_core.rpc.engine import GrpcEngine
from cache_core.rpc.engine_choice import choose_engine
from cache_core.rpc.service import Service
from cache_core.trace import NO_TRACE, Trace, current_trace

A = TypeVar("A")

Found = Value | CacheError

AnyChannel: TypeAlias = Channel | GrpcioChannel


class FakeParticipant:
    """Has one group, `g`: what is `held` is there at once, what is in the `source` is loaded.

    A key of the source with a gate is loaded once that is open.
    """

    def __init__(
        self, held: Mapping[str, Found] | None = None, source: Mapping[str, Found] | None = None
    ) -> None:
        self.name = "node.example:8080"
        self.watchers = Watchers()
        self.held = held or {}
        self.source = source or {}
        self.gates: dict[str, asyncio.Event] = {}
        self.answers: dict[type[Message[Any]], Any] = {}
        self.asked: list[tuple[str, bool, Trace]] = []
        self.demands: list[Demand] = []
        self.loading: asyncio.Queue[str] = asyncio.Queue()
        self.cancelled: asyncio.Queue[str] = asyncio.Queue()
        self.rings: list[int] = []
        self.received: asyncio.Queue[Message[Any]] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()

    def peek(self, group: str, key: str, *, forwarded: bool, demand: Demand) -> Value | None:
        """Return or raise what is held."""
        self.asked.append((key, forwarded, current_trace.get()))
        self.demands.append(demand)
        if not key:
            raise KeyRequired
        if group != "g":
            raise UnknownGroup
        found = self.held.get(key)
        if isinstance(found, CacheError):
            raise found
        return found

    async def get(self, group: str, key: str, *, forwarded: bool, demand: Demand) -> Value:
        """Return or raise what is in the source, once the gate is open."""
        assert group == "g"
        self.asked.append((key, forwarded, current_trace.get()))
        self.demands.append(demand)
        self.loading.put_nowait(key)
        if gate := self.gates.get(key):
            try:
                await gate.wait()
            except asyncio.CancelledError:
                self.cancelled.put_nowait(key)
                raise
        found = self.source[key]
        if isinstance(found, CacheError):
            raise found
        return found

    def note_ring(self, version: int) -> None:
        """Remember it."""
        self.rings.append(version)

    async def receive(self, message: Message[A]) -> A:
        """Return or raise what the test has put into `answers`, once the gate is open."""
        self.received.put_nowait(message)
        await self.gate.wait()
        answer = self.answers[type(message)]
        if isinstance(answer, CacheError):
            raise answer
        return cast("A", answer)


@asynccontextmanager
async def serving(
    participant: FakeParticipant, grace: float = 5.0, host: str = "127.0.0.1"
) -> AsyncIterator[Address]:
    """Serve `participant` on a free port of `host`; its address."""
    server = choose_engine(GrpcEngine.AUTO)(Address(host, 0))
    address = server.bind()
    await server.start(Service(participant))
    try:
        yield address
    finally:
        await server.stop(grace)


@asynccontextmanager
async def connected(participant: FakeParticipant) -> AsyncIterator[AnyChannel]:
    """A channel to `participant`, served."""
    async with serving(participant) as address, channel_to(address) as channel:
        yield channel


@asynccontextmanager
async def channel_to(address: Address) -> AsyncIterator[AnyChannel]:
    """A channel to what serves at `address`: ours, or the one that the fixture `channel` says."""
    channel: AnyChannel = Channel(address)
    try:
        yield channel
    finally:
        await channel.aclose()


class Asked(Ask):
    """An ask whose outcome can be awaited."""

    __slots__ = ("outcome",)

    def __init__(self, group: str, key: str, forwarded: bool, demand: Demand, trace: Trace) -> None:
        self.outcome: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        super().__init__(
            group,
            key,
            forwarded=forwarded,
            demand=demand,
            deadline=inf,
            trace=trace,
            then=settling(self.outcome),
        )


def ask(
    key: str,
    *,
    group: str = "g",
    forwarded: bool = False,
    demand: Demand = Demand.ANY,
    trace: Trace = NO_TRACE,
) -> Asked:
    return Asked(group, key, forwarded, demand, trace)


async def outcomes(
    channel: AnyChannel, asks: Iterable[Asked], *, ring: int = 0, timeout: float = 30
) -> list[Found]:
    """What each of `asks` comes to, asked together."""
    asked = list(asks)
    try:
        await got(channel, asked, ring=ring, timeout=timeout)
    except CacheError as error:
        for one in asked:
            one.settle(error)
    found = await asyncio.gather(*(one.outcome for one in asked), return_exceptions=True)
    assert all(isinstance(each, Value | CacheError) for each in found)
    return cast("list[Found]", found)


def hit(data: bytes = b"630") -> Value:
    return Value(data, ttl=36.5, age=3.5, answer=Answer.HIT)

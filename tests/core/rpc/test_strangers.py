"""Nodes that know the tutorial's one call and nothing else, and callers that do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from fake_participant import AnyChannel, FakeParticipant, ask, channel_to, hit, outcomes, serving

from cache_core import Answer, Demand, NotFound, Terms, UnexpectedStatus, Value
from cache_core.address import Address
from cache_core.messages import (
    Describe,
    HandOver,
    Message,
    Probe,
    Probed,
    Removal,
    RemoveEverywhere,
)
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.asks import SINGLE_GETS
from cache_core.rpc.channel import GET
from cache_core.trace import Trace

each_engine = pytest.mark.usefixtures("engine")


class Stranger:
    """Answers Get with the key in capitals once the gate is open, and counts who waits."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0
        self.most = 0
        self.full = asyncio.Event()
        self.methods: list[str] = []
        self.trailers: tuple[tuple[str, str], ...] = ()

    async def get(
        self, request: GetRequest, context: "grpc.aio.ServicerContext[GetRequest, GetResponse]"
    ) -> GetResponse:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        if self.waiting == SINGLE_GETS:
            self.full.set()
        await self.gate.wait()
        self.waiting -= 1
        if request.key == "none":
            await context.abort(grpc.StatusCode.UNKNOWN, "none not exist")
        context.set_trailing_metadata(self.trailers)
        return GetResponse(value=request.key.upper().encode())

    def service(
        self, details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[GetRequest, GetResponse] | None":
        """Find the handler of a call, as gRPC asks for it."""
        self.methods.append(details.method.rpartition("/")[2])
        if details.method != GET:
            return None
        return grpc.unary_unary_rpc_method_handler(
            self.get, GetRequest.FromString, GetResponse.SerializeToString
        )


@asynccontextmanager
async def asking(stranger: Stranger) -> AsyncIterator[tuple[AnyChannel, str]]:
    """A channel to `stranger`, and its address."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((stranger,))  # type: ignore[arg-type] # it is one by shape
    address = Address("127.0.0.1", server.add_insecure_port("127.0.0.1:0"))
    await server.start()
    try:
        async with channel_to(address) as channel:
            yield channel, str(address)
    finally:
        await server.stop(None)


async def test_a_node_that_knows_no_batches_is_asked_for_each_key_from_then_on() -> None:
    stranger = Stranger()
    async with asking(stranger) as (channel, address):
        for _ in range(2):
            found = await outcomes(channel, [ask("a"), ask("none"), ask("c")])
            assert found[::2] == [Value(b"A", node=address), Value(b"C", node=address)]
            assert isinstance(found[1], UnexpectedStatus)
            assert (found[1].message, found[1].node) == ("none not exist", address)
    assert stranger.methods == ["BatchPeek", *["Get"] * 6]


async def test_such_a_node_is_asked_for_so_many_keys_at_a_time() -> None:
    stranger = Stranger()
    stranger.gate.clear()
    keys = [f"k{n}" for n in range(3 * SINGLE_GETS)]
    async with asking(stranger) as (channel, _):
        getting = asyncio.create_task(outcomes(channel, [ask(key) for key in keys]))
        await stranger.full.wait()
        await channel.send(Probe(None, 0), timeout=30)  # what was sent before it has come by now
        stranger.gate.set()
        found = await getting
    assert [one.data for one in found if isinstance(one, Value)] == [
        key.upper().encode() for key in keys
    ]
    assert stranger.most == SINGLE_GETS


async def test_what_such_a_node_does_not_answer_in_time_is_late_for_every_key() -> None:
    stranger = Stranger()
    stranger.gate.clear()
    async with asking(stranger) as (channel, _):
        asks = [ask(f"k{n}") for n in range(SINGLE_GETS + 2)]
        found = await outcomes(channel, asks, timeout=0.2)
        stranger.gate.set()
    assert {getattr(one, "status", None) for one in found} == {"DEADLINE_EXCEEDED"}


async def test_a_node_that_can_not_be_probed_serves() -> None:
    async with asking(Stranger()) as (channel, _):
        probed = await channel.send(Probe("n:1", 7), timeout=30)
    assert probed == Probed(draining=False, ring=0)


@pytest.mark.parametrize(
    "message",
    [
        RemoveEverywhere(Removal("g", "k")),
        RemoveEverywhere(Removal("g")),
        Describe(),
        HandOver("n:1"),
    ],
)
async def test_what_else_such_a_node_is_told_it_does_not_know(
    message: Message[object],
) -> None:
    async with asking(Stranger()) as (channel, _):
        with pytest.raises(UnexpectedStatus) as caught:
            await channel.send(message, timeout=30)
    assert caught.value.status == "UNIMPLEMENTED"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ('hit; node="n:1"; ttl=36.5; age=3.5', Value(b"K", 36.5, 3.5, Answer.HIT, "n:1")),
        ('stale;node="n:1";ttl=-0.001;age=0;new=1', Value(b"K", -0.001, 0, Answer.STALE, "n:1")),
        ("fresher; age=1", Value(b"K", None, 1, Answer.MISS, "here")),
        ("hit; ttl=soon", Value(b"K", None, 0, Answer.HIT, "here")),
        ("hit, hit", Value(b"K", None, 0, Answer.MISS, "here")),
        ("", Value(b"K", None, 0, Answer.MISS, "here")),
        ("miss; age=1; stored", Value(b"K", None, 1, Answer.MISS, "here", stored=True)),
        (
            'hit; stored; copied; content-type="a/b"',
            Value(
                b"K",
                answer=Answer.HIT,
                node="here",
                terms=Terms(0, 0, "a/b"),
                stored=True,
                copied=True,
            ),
        ),
        ("hit; copied", Value(b"K", answer=Answer.HIT, node="here", copied=True)),
        ("miss; age=1; storedly", Value(b"K", None, 1, Answer.MISS, "here")),
        (
            'hit; age=1; a="; stale-if-error=1"; stale-if-error=9.5; content-type="a/b; c=\\"d\\""',
            Value(b"K", None, 1, Answer.HIT, "here", Terms(0, 9.5, 'a/b; c="d"')),
        ),
        (
            f"hit; age=1; stale-while-revalidate={'9' * 400}; stale-if-error=-1; content-type=5",
            Value(b"K", None, 1, Answer.HIT, "here"),
        ),
    ],
)
async def test_what_a_node_says_of_its_answer_is_taken_as_far_as_it_is_understood(
    field: str, value: Value
) -> None:
    stranger = Stranger()
    stranger.trailers = (("gaocache-answer", field), ("other", "1"))
    async with asking(stranger) as (channel, address):
        (found,) = await outcomes(channel, [ask("k")])
    assert found == value._replace(node=address if value.node == "here" else value.node)


async def get_as_a_stranger(
    participant: FakeParticipant, key: str, metadata: tuple[tuple[str, str], ...] = ()
) -> tuple[tuple[str, str | bytes], ...]:
    """Call Get with none of our code, with `metadata`; return the trailers."""
    async with serving(participant) as address, grpc.aio.insecure_channel(str(address)) as channel:
        get = channel.unary_unary(GET, GetRequest.SerializeToString, GetResponse.FromString)
        call = get(GetRequest(group="g", key=key), metadata=metadata, timeout=30)
        await call
        return tuple(await call.trailing_metadata())


@each_engine
@pytest.mark.parametrize(
    ("value", "field"),
    [
        (hit(), 'hit; node="node.example:8080"; ttl=36.500; age=3.500'),
        (Value(b"", None, 1e9), 'miss; node="node.example:8080"; age=1000000000.000'),
        (
            Value(b"", -1.5, 2, Answer.STALE_ERROR, "[::1]:9"),
            'stale-error; node="[::1]:9"; ttl=-1.500; age=2.000',
        ),
        (
            Value(b"", terms=Terms(30), copied=True),
            'miss; node="node.example:8080"; age=0.000; copied; stale-while-revalidate=30.000',
        ),
        (
            Value(b"", age=2, terms=Terms(30, 0, 'a/b; c="d"'), stored=True),
            (
                'miss; node="node.example:8080"; age=2.000; stored; stale-while-revalidate=30.000; '
                r'content-type="a/b; c=\"d\""'
            ),
        ),
    ],
)
@pytest.mark.parametrize("where", ["held", "source"])
async def test_freshness_and_node_are_in_the_trailers_of_get(
    value: Value, field: str, where: str
) -> None:
    participant = FakeParticipant(**{where: {"k": value}})
    assert await get_as_a_stranger(participant, "k") == (("gaocache-answer", field),)


@each_engine
@pytest.mark.parametrize(
    ("metadata", "ring", "forwarded", "trace"),
    [
        ((), 0, False, Trace()),
        ((("gaocache-ring", "00000000000000ff"),), 255, False, Trace()),
        ((("gaocache-ring", "ff"), ("gaocache-forwarded", "yes")), 0, False, Trace()),
        ((("gaocache-ring", "-00000000000000f"),), 0, False, Trace()),
        (
            (("gaocache-forwarded", "1"), ("traceparent", "00-1"), ("tracestate", "a=b")),
            0,
            True,
            Trace("00-1", "a=b"),
        ),
    ],
)
async def test_what_a_caller_says_of_itself_is_taken_where_it_is_well_formed(
    metadata: tuple[tuple[str, str], ...], ring: int, *, forwarded: bool, trace: Trace
) -> None:
    participant = FakeParticipant({"k": hit()})
    await get_as_a_stranger(participant, "k", metadata)
    assert participant.rings == [ring]
    assert participant.asked == [("k", forwarded, trace)]


@each_engine
@pytest.mark.parametrize(
    ("said", "demand"),
    [("new", Demand.NEW), ("cached", Demand.CACHED), ("any", Demand.ANY), ("older", Demand.ANY)],
)
async def test_what_a_caller_demands_is_taken_where_it_is_known(said: str, demand: Demand) -> None:
    participant = FakeParticipant(source={"k": hit()})
    await get_as_a_stranger(participant, "k", (("gaocache-demand", said),))
    assert participant.demands == [demand, demand]


async def test_a_server_that_knows_no_demands_just_answers() -> None:
    async with asking(Stranger()) as (channel, _):
        for asks in ([ask("k", demand=Demand.NEW)], [ask("k", demand=each) for each in Demand]):
            found = await outcomes(channel, asks)
            assert [isinstance(each, Value) and each.data for each in found] == [b"K"] * len(asks)


@pytest.mark.usefixtures("engine", "channel")
async def test_an_error_of_another_node_names_it() -> None:
    participant = FakeParticipant({"k": NotFound("k not exist", node="owner.example:8080")})
    async with serving(participant) as address, channel_to(address) as channel:
        (found,) = await outcomes(channel, [ask("k")])
    assert isinstance(found, NotFound)
    assert found.node == "owner.example:8080"

"""What clients meet while a node stops."""

import asyncio
from collections import Counter
from itertools import count

from fake_participant import FakeParticipant, ask, channel_to, outcomes

from cache_core import PeerUnavailable, Value
from cache_core.address import Address
from cache_core.rpc.engine import GrpcEngine
from cache_core.rpc.engine_choice import choose_engine
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import GOAWAY, GREATEST_STREAM, PING, PREFACE
from cache_core.rpc.service import Service

STOPS = 4
CALLERS = 200


async def test_of_calls_that_cross_a_stop_none_is_lost() -> None:
    address = Address("127.0.0.1", 0)
    ended: Counter[str] = Counter()
    begun = 0
    is_over = False
    answered = asyncio.Event()

    async def call_on(number: int) -> None:
        nonlocal begun
        for turn in count():
            if is_over:
                return
            begun += 1
            key = "held" if (number + turn) % 2 else "loaded"
            (found,) = await outcomes(channel, [ask(key)])
            ended[type(found).__name__] += 1
            if isinstance(found, Value):
                answered.set()
            else:
                assert isinstance(found, PeerUnavailable)
                await asyncio.sleep(0.01)

    server = choose_engine(GrpcEngine.NATIVE)(address)
    address = server.bind()
    async with channel_to(address) as channel:
        callers: list[asyncio.Task[None]] = []
        for turn in range(STOPS):
            if turn:
                server = choose_engine(GrpcEngine.NATIVE)(address)
                server.bind()
            participant = FakeParticipant({"held": Value(b"1")}, {"loaded": Value(b"2")})
            await server.start(Service(participant))
            callers = callers or [asyncio.create_task(call_on(n)) for n in range(CALLERS)]
            answered.clear()
            await answered.wait()
            await asyncio.sleep(0.05)
            await server.stop(5)
        is_over = True
        await asyncio.gather(*callers)
    assert ended.total() == begun
    assert set(ended) == {"Value", "PeerUnavailable"}


async def test_calls_that_run_are_answered_during_the_grace() -> None:
    participant = FakeParticipant({}, {"slow": Value(b"1")})
    participant.gates["slow"] = asyncio.Event()
    server = choose_engine(GrpcEngine.NATIVE)(Address("127.0.0.1", 0))
    address = server.bind()
    await server.start(Service(participant))
    async with channel_to(address) as channel:
        asking = [asyncio.create_task(outcomes(channel, [ask("slow")])) for _ in range(CALLERS)]
        for _ in asking:
            await participant.loading.get()
        stopping = asyncio.create_task(server.stop(30))
        await asyncio.sleep(0.02)
        participant.gates["slow"].set()
        found = [one for (one,) in await asyncio.gather(*asking)]
        await stopping
    assert {one.data for one in found if isinstance(one, Value)} == {b"1"}
    assert len(found) == CALLERS


async def test_a_client_hears_two_goodbyes_and_the_second_when_it_has_heard_the_first() -> None:
    server = choose_engine(GrpcEngine.NATIVE)(Address("127.0.0.1", 0))
    address = server.bind()
    await server.start(Service(FakeParticipant()))
    reader, writer = await asyncio.open_connection(*address)
    writer.write(PREFACE + frames.settings({}))
    heard: list[int] = []
    await _frame(reader)  # its hello, so it has taken the connection
    stopping = asyncio.create_task(server.stop(5))
    while True:
        try:
            kind, flags, payload = await _frame(reader)
        except asyncio.IncompleteReadError:
            break
        if kind == GOAWAY:
            heard.append(int.from_bytes(payload[:4]))
        elif kind == PING and not flags:
            assert heard == [GREATEST_STREAM]
            writer.write(frames.ping(payload, ack=True))
    await stopping
    writer.close()
    assert heard == [GREATEST_STREAM, 0]


async def _frame(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """Return the next frame's kind, flags and payload."""
    head = await reader.readexactly(9)
    return head[3], head[4], await reader.readexactly(int.from_bytes(head[:3]))

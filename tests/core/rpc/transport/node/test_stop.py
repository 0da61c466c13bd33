"""What clients meet while a node stops."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest
from fake_participant import FakeParticipant, ask, channel_to, outcomes
from http2.frame_writer import window_update
from unread import get

from cache_core import PeerUnavailable, Value
from cache_core.address import Address
from cache_core.rpc.engine import GrpcEngine
from cache_core.rpc.engine_choice import choose_engine
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import (
    DATA,
    DEFAULT_WINDOW,
    END_STREAM,
    FRAME_HEAD_BYTES,
    GOAWAY,
    GREATEST_STREAM,
    HEADERS,
    PING,
    PREFACE,
)
from cache_core.rpc.service import Service
from cache_core.rpc.transport.node import server as transport_server
from cache_core.rpc.transport.node.server import Server

STOPS = 4
CALLERS = 200

LARGE = 2 * DEFAULT_WINDOW
"""The bytes of a value that leaves only where its client lets it."""


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
    async with asking() as (server, reader, writer):
        await _frame(reader)  # its hello, so it has taken the connection
        stopping = asyncio.create_task(server.stop(5))
        heard: list[int] = []
        async for kind, flags, payload in _frames(reader):
            if kind == GOAWAY:
                heard.append(int.from_bytes(payload[:4]))
            elif kind == PING and not flags:
                assert heard == [GREATEST_STREAM]
                writer.write(frames.ping(payload, ack=True))
        await stopping
        assert heard == [GREATEST_STREAM, 0]


async def test_a_client_that_answers_nothing_hears_the_second_goodbye_all_the_same() -> None:
    async with asking() as (server, reader, _):
        await _frame(reader)
        stopping = asyncio.create_task(server.stop(5))
        heard = [payload[:4] async for kind, _, payload in _frames(reader) if kind == GOAWAY]
        await stopping
        assert [int.from_bytes(each) for each in heard] == [GREATEST_STREAM, 0]


async def test_an_answer_that_was_given_may_leave_after_the_last_goodbye() -> None:
    async with asking("large") as (server, reader, writer):
        while (await _frame(reader))[0] != DATA:
            pass
        stopping = asyncio.create_task(server.stop(5))
        goodbyes = 0
        ended = False
        async for kind, flags, _ in _frames(reader):
            goodbyes += kind == GOAWAY
            if kind == GOAWAY and goodbyes == 2:
                writer.write(window_update(0, LARGE) + window_update(1, LARGE))
            ended = ended or (kind == HEADERS and bool(flags & END_STREAM))
        await stopping
        assert ended


async def test_a_client_that_takes_no_answer_is_cut_off_at_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("GOODBYE_SECONDS", "FLUSH_SECONDS"):
        monkeypatch.setattr(transport_server, name, 0.01)
    async with asking("large") as (server, reader, _):
        while (await _frame(reader))[0] != DATA:
            pass
        await server.stop(5)
        async with asyncio.timeout(5):
            assert HEADERS not in [kind async for kind, _, _ in _frames(reader)]


@asynccontextmanager
async def asking(
    *keys: str,
) -> AsyncIterator[tuple[Server, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A node, and a client that has said hello to it and asked for `keys`."""
    server = Server(Address("127.0.0.1", 0))
    address = server.bind()
    await server.start(Service(FakeParticipant({"large": Value(bytes(LARGE))})))
    reader, writer = await asyncio.open_connection(*address)
    calls = (get(2 * number + 1, key) for number, key in enumerate(keys))
    writer.write(PREFACE + frames.settings({}) + b"".join(calls))
    try:
        yield server, reader, writer
    finally:
        writer.close()


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[tuple[int, int, bytes]]:
    """Yield the frames that come until the connection ends."""
    while True:
        try:
            yield await _frame(reader)
        except asyncio.IncompleteReadError:
            return


async def _frame(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """Return the next frame's kind, flags and payload."""
    head = await reader.readexactly(FRAME_HEAD_BYTES)
    return head[3], head[4], await reader.readexactly(int.from_bytes(head[:3]))

"""Ends that fall silent, at either end of a connection, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from joined import Lines, lines
from line import LineEnd
from virtual_time import after, in_virtual_time, now

from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.grpcio.server import OPTIONS
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import PREFACE
from cache_core.rpc.transport.wire import PONG_SECONDS, STALL_SECONDS
from cache_core.rpc.wire.limits import KEEPALIVE_SECONDS, QUIET_SECONDS

PING = b"\0\0\x08\x06\0\0\0\0\0"
HELLO = PREFACE + frames.settings({}) + frames.settings_ack()


class Silent(asyncio.Protocol):
    """Takes everything and says nothing by itself."""

    def __init__(self) -> None:
        self.taken = b""
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.taken += data

    def connection_lost(self, _: Exception | None) -> None:
        self.lost.set()


@asynccontextmanager
async def silent_client(hello: bytes = b"") -> AsyncIterator[tuple[LineEnd, Silent]]:
    """A client that says `hello`, and the server's end."""
    joined, protocol = Lines(), Silent()
    end = LineEnd(protocol)
    end.join(joined.at_server)
    end.write(hello)
    await after(0.01)
    try:
        yield joined.at_server, protocol
    finally:
        end.abort()
        await after(0.01)
    assert joined.open == set()


@in_virtual_time
async def test_ends_that_rest_stay_connected_and_the_node_asks_now_and_then() -> None:
    async with lines() as joined:
        sent = len(joined.at_server.sent)
        await after(10 * QUIET_SECONDS)
        assert not joined.at_client.is_over
        # only the node asks, and the client answers each time
        assert PING not in joined.at_client.sent
        assert 2 <= joined.at_server.sent[sent:].count(PING) <= 10
        _, caller = joined.get("held")
        await after(0)
        assert caller.end.code is StatusCode.OK


@pytest.mark.parametrize(
    "hello", [b"", PREFACE[:5], PREFACE, PREFACE + frames.settings({})[:-1]], ids=len
)
def test_a_client_that_never_says_hello_is_cut_off(hello: bytes) -> None:
    @in_virtual_time
    async def run() -> None:
        async with silent_client(hello) as (_, protocol):
            await after(PONG_SECONDS - 1)
            assert not protocol.lost.is_set()
            await after(2)
            assert protocol.lost.is_set()

    run()


@in_virtual_time
async def test_a_node_that_never_says_hello_is_cut_off_and_its_calls_end() -> None:
    joined, silent = Lines(), Silent()
    joined.at_client.join(LineEnd(silent))
    _, caller = joined.get("held")
    await after(PONG_SECONDS - 1)
    assert caller.ends == []
    await after(2)
    assert caller.end.code is StatusCode.UNAVAILABLE


@in_virtual_time
async def test_a_client_that_is_quiet_and_answers_no_ping_is_cut_off() -> None:
    async with silent_client(HELLO) as (at_server, protocol):
        await after(QUIET_SECONDS - 1)
        assert PING not in at_server.sent
        await after(PONG_SECONDS)
        assert PING in at_server.sent
        await after(1.5 * PONG_SECONDS)
        assert protocol.lost.is_set()


@in_virtual_time
async def test_a_client_asks_a_node_that_says_nothing_to_its_calls_whether_it_lives() -> None:
    async with lines() as joined:
        _, caller = joined.get("slow")
        await after(KEEPALIVE_SECONDS * 5)
        assert 2 <= joined.at_client.sent.count(PING) <= 5
        assert caller.ends == []
        joined.participant.gates["slow"].set()
        await after(0)
        assert caller.end.code is StatusCode.OK


@in_virtual_time
async def test_a_client_asks_no_more_often_than_a_node_on_grpcio_permits() -> None:
    permitted = dict(OPTIONS)["grpc.http2.min_ping_interval_without_data_ms"] / 1_000
    async with lines() as joined:
        joined.get("slow")
        asked: list[float] = []
        while len(asked) < 4:
            await after(1)
            if joined.at_client.sent.count(PING) > len(asked):
                asked.append(now())
        assert min(later - before for before, later in pairwise(asked)) >= permitted


@in_virtual_time
async def test_calls_at_a_node_that_has_frozen_end_in_time() -> None:
    async with lines() as joined:
        _, caller = joined.get("slow")
        await after(0)
        joined.at_server.freeze()
        await after(KEEPALIVE_SECONDS + PONG_SECONDS * 2)
        assert caller.end.code is StatusCode.UNAVAILABLE


@in_virtual_time
async def test_a_node_that_is_frozen_for_a_short_time_answers_late() -> None:
    async with lines() as joined:
        joined.at_server.freeze()
        _, caller = joined.get("held")
        await after(KEEPALIVE_SECONDS + PONG_SECONDS / 2)
        joined.at_server.thaw()
        await after(0)
        assert caller.messages != []


@in_virtual_time
async def test_a_stream_of_which_nothing_is_taken_is_reset_and_others_go_on() -> None:
    async with lines(Bounds(streams=0, window=1_000)) as joined:
        asked, caller = joined.get("large")
        asked.is_paused = True
        await after(0)
        _, other = joined.get("held")
        await after(STALL_SECONDS - 1)
        assert (caller.ends, other.end.code) == ([], StatusCode.OK)
        await after(QUIET_SECONDS / 2)
        assert caller.end.code is StatusCode.CANCELLED
        _, again = joined.get("large")
        await after(1)
        assert again.end.code is StatusCode.OK


@in_virtual_time
async def test_a_client_that_reads_nothing_is_cut_off() -> None:
    async with lines() as joined:
        joined.at_client.freeze()
        callers = [joined.get("large")[1] for _ in range(3)]
        await after(STALL_SECONDS - 1)
        assert {len(caller.ends) for caller in callers} == {0}
        await after(PONG_SECONDS)
        assert joined.at_server.is_over
        await after(1)
        assert {caller.end.code for caller in callers} == {StatusCode.UNAVAILABLE}


@in_virtual_time
async def test_two_ends_that_both_have_much_to_say_do_not_wait_for_each_other() -> None:
    async with lines() as joined:
        joined.at_client.freeze()
        callers = [joined.get("large")[1] for _ in range(50)]
        await after(1)
        callers += [joined.get("k" * 40_000)[1] for _ in range(50)]
        await after(1)
        joined.at_client.thaw()
        await after(1)
        assert {len(caller.ends) for caller in callers} == {1}


@in_virtual_time
async def test_the_work_for_a_call_ends_when_its_client_has_gone() -> None:
    async with lines() as joined:
        joined.get("slow")
        await after(0)
        joined.client.abort()
        await after(0)
        assert joined.participant.cancelled.get_nowait() == "slow"
        assert joined.node.tasks == {}

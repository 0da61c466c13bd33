"""Requests that the app answers, or that nobody does: what their connections take and let go."""

import asyncio
import gc
import tracemalloc
import weakref
from collections.abc import AsyncIterator

import pytest
from fakes import settled
from lane_server import LaneServer, get, lane_server, value
from raw_http import Connection
from virtual_lane import VirtualConnection
from virtual_time import after, in_virtual_time

from cache_core.value import Value
from gateway.server.connection import reading

UPLOAD = b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"


@pytest.fixture
async def serving() -> AsyncIterator[LaneServer]:
    async with lane_server() as server:
        server.cluster.at_once["Sam"] = Value(b"567")
        yield server


async def all_read(serving: LaneServer) -> None:
    """Return once what was sent has been read: who comes later has been answered."""
    async with Connection(serving.url) as other:
        other.send(get("Sam"))
        assert await value(other) == "567"


@in_virtual_time
async def test_an_upload_that_the_app_does_not_take_is_not_slow() -> None:
    serving = LaneServer(receive_timeout=10)
    serving.inner.gate.clear()
    async with VirtualConnection(serving) as connection:
        connection.send(UPLOAD + b"x" * 300_000)
        await serving.inner.asked.get()
        await after(25)
        serving.inner.gate.set()
        assert await value(connection) == "inner"
        connection.send(get("Sam").replace(b"GET", b"POST"))
        assert await value(connection) == "inner"


@in_virtual_time
async def test_the_time_of_an_upload_begins_anew_when_it_is_read_on() -> None:
    serving = LaneServer(receive_timeout=10)
    serving.inner.gate.clear()
    async with VirtualConnection(serving) as connection:
        connection.send(UPLOAD + b"x" * 299_999)
        await serving.inner.asked.get()
        await after(15)
        serving.inner.gate.set()
        assert await value(connection) == "inner"
        await after(9)
        connection.send(b"x" + get("Sam").replace(b"GET", b"POST"))
        assert await value(connection) == "inner"


@in_virtual_time
async def test_an_upload_that_does_not_go_on_is_ended_once_it_is_read_again() -> None:
    serving = LaneServer(receive_timeout=10)
    serving.inner.gate.clear()
    async with VirtualConnection(serving) as connection:
        connection.send(UPLOAD + b"x" * 299_999)
        await serving.inner.asked.get()
        await after(15)
        serving.inner.gate.set()
        assert await value(connection) == "inner"
        begun = asyncio.get_running_loop().time()
        assert await connection.reply() is None
        assert asyncio.get_running_loop().time() == begun + 10


@in_virtual_time
async def test_a_body_that_comes_in_large_parts_has_no_more_time_than_any_request() -> None:
    serving = LaneServer(receive_timeout=10)
    serving.inner.reads = True
    async with VirtualConnection(serving) as connection:
        connection.send(UPLOAD)
        for _ in range(3):
            await after(3)
            connection.send(b"x" * 5_000)
        await after(0.9)
        assert serving.state.connections
        await after(0.2)
        reply = await connection.reply()
        assert reply is not None
        assert reply.status == 408


EMPTY_LINES = b"%x\r\n%b\r\n0\r\n\r\n" % (4 * 16_000, b"\r\n\r\n" * 16_000)
CHUNKED = b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("reads", [True, False])
async def test_others_are_served_while_a_body_of_empty_lines_is_taken(
    serving: LaneServer, reads: bool
) -> None:
    serving.inner.reads = reads
    turns, is_over = 0, False

    def turn() -> None:
        nonlocal turns
        turns += 1
        if not is_over:
            loop.call_soon(turn)

    loop = asyncio.get_running_loop()
    async with Connection(serving.url) as connection:
        connection.send(CHUNKED)
        await serving.inner.asked.get()
        (server_side,) = serving.state.connections
        server_side.data_received(EMPTY_LINES)
        loop.call_soon(turn)
        connection.send(get("Sam"))
        assert await value(connection) == "inner"
        assert await value(connection) == "567"
    is_over = True
    await settled()
    assert turns > 5


async def test_who_takes_long_to_read_an_answer_gets_the_next_one_too() -> None:
    async with lane_server(keep_alive=0.1) as serving, Connection(serving.url) as connection:
        serving.cluster.at_once["large"] = Value(b"x" * 20_000_000)
        connection.send(get("large", query="?alt=media") + get("Tom"))
        await connection.until(b"\r\n\r\n")
        with pytest.raises(TimeoutError):  # the next waits, three times as long as it may be idle
            await asyncio.wait_for(serving.cluster.asked.get(), 0.3)
        assert len(await connection.exactly(20_000_000)) == 20_000_000
        (await serving.cluster.asked.get()).then(Value(b"630"))
        assert await value(connection) == "630"


async def test_a_plain_get_waits_for_the_answer_of_the_app_before_it(serving: LaneServer) -> None:
    serving.inner.gate.clear()
    async with Connection(serving.url) as connection:
        connection.send(get("Tom").replace(b"GET", b"POST"))
        await serving.inner.asked.get()
        connection.send(get("Sam"))
        await all_read(serving)
        serving.inner.gate.set()
        assert [await value(connection), await value(connection)] == ["inner", "567"]


@pytest.mark.parametrize("half", [True, False], ids=["client", "server"])
async def test_a_connection_ends_with_an_answer_that_had_begun_when_its_end_was_known(
    serving: LaneServer, half: bool
) -> None:
    serving.inner.gate.clear()
    async with Connection(serving.url) as connection:
        connection.send(get("Tom").replace(b"GET", b"POST"))
        await serving.inner.asked.get()
        await connection.until(b"\r\n\r\n")
        if half:
            connection.writer.write_eof()
            await all_read(serving)
        else:
            serving.shut_down()
        serving.inner.gate.set()
        assert await connection.until(None) == b"inner"


async def test_a_large_body_in_parts_is_no_large_head(serving: LaneServer) -> None:
    serving.inner.gate.clear()
    async with Connection(serving.url) as connection:
        connection.send(UPLOAD)
        await serving.inner.asked.get()
        for _ in range(10):
            connection.send(b"x" * 6_000)
            await all_read(serving)
        serving.inner.gate.set()
        assert await value(connection) == "inner"
        connection.send(b"x" * 240_000 + get("Sam"))
        assert await value(connection) == "567"


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\r\n\r\n", b"GARBAGE\r\n\r\n", b"GET /\r\n\r\n"])
async def test_nothing_is_served_behind_garbage_nor_logged_of_it(
    serving: LaneServer, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with Connection(serving.url) as connection:
        connection.send(garbage)
        reply = await connection.reply()
        assert reply is not None
        assert reply.status == 400
        connection.send(get("Tom"))
        await all_read(serving)
        connection.send(get("Tom").replace(b"GET", b"POST"))
        await all_read(serving)
        assert await connection.reply() is None
    assert serving.cluster.asked.empty()
    assert serving.inner.asked.empty()
    assert caplog.records == []


@in_virtual_time
async def test_a_request_that_was_refused_as_too_slow_is_not_served_once_it_has_come() -> None:
    serving = LaneServer(receive_timeout=10)
    async with VirtualConnection(serving) as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: x\r\n")
        reply = await connection.reply()
        assert reply is not None
        assert reply.status == 408
        connection.send(b"\r\n")
        await after(0)
        assert await connection.reply() is None
    assert serving.inner.asked.empty()


async def test_a_refused_client_that_does_not_hang_up_is_let_go(
    serving: LaneServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LINGER_SECONDS", 0.01)
    async with Connection(serving.url) as connection:
        connection.send(b"GARBAGE\r\n\r\n")
        (reply,) = await connection.replies()
        assert reply.status == 400
        async with asyncio.timeout(5):
            while serving.state.connections:
                await settled()


async def test_garbage_behind_the_beginning_of_an_answer_ends_the_connection_with_it(
    serving: LaneServer,
) -> None:
    serving.inner.gate.clear()
    async with Connection(serving.url) as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        await serving.inner.asked.get()
        connection.send(b"zz\r\n")
        await all_read(serving)
        serving.inner.gate.set()
        assert await value(connection) == "inner"
        async with asyncio.timeout(5):  # half of what a request may take to come
            assert await connection.reply() is None


async def test_what_a_refused_client_goes_on_sending_is_not_kept(serving: LaneServer) -> None:
    async with Connection(serving.url) as connection:
        connection.send(b"GARBAGE\r\n\r\n")
        assert await connection.reply() is not None
        (server_side,) = serving.state.connections
        tracemalloc.start()
        try:
            for _ in range(20):
                server_side.data_received(bytes(200_000))
            assert tracemalloc.get_traced_memory()[0] < 1_000_000
        finally:
            tracemalloc.stop()


async def test_a_connection_that_has_ended_is_let_go(serving: LaneServer) -> None:
    async with Connection(serving.url) as connection:
        connection.send(get("Tom").replace(b"GET", b"POST"))
        assert await value(connection) == "inner"
        (found,) = serving.state.connections
        ended = weakref.ref(found)
        del found
    while serving.state.connections:
        await settled()
    gc.collect()
    assert ended() is None

"""The fast lane's connections hold back, overtake nothing, and leave nothing behind."""

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from fakes import settled
from lane_server import LaneServer, get, lane_server, value
from raw_http import Connection

from cache_core.value import Value
from gateway.routes.off_loop import OFF_LOOP_BYTES
from gateway.server.connection.http_connection import HttpConnection as Served
from gateway.server.connection.reading import AHEAD_BYTES
from gateway.survey.gateway_figures import ANSWERED


@pytest.fixture
async def serving() -> AsyncIterator[LaneServer]:
    async with lane_server(with_near=True) as server:
        yield server


async def opened(serving: LaneServer) -> Served:
    """Return the server's side of its one connection."""
    while not serving.state.connections:
        await settled()
    (connection,) = serving.state.connections
    return cast("Served", connection)


async def test_a_kept_answer_overtakes_no_request_that_came_before(serving: LaneServer) -> None:
    serving.near.put("Sam", Value(b"567"))
    async with Connection(serving.url) as connection:
        for _ in range(3):
            connection.send(get("Sam"))
            assert await value(connection) == "567"
        server_side = await opened(serving)
        server_side.data_received(get("Tom"))
        server_side.data_received(get("Jack"))
        (await serving.cluster.asked.get()).then(Value(b"630"))
        server_side.data_received(get("Sam"))  # comes in the turn in which Tom was answered
        (await serving.cluster.asked.get()).then(Value(b"589"))
        assert [await value(connection) for _ in range(3)] == ["630", "589", "567"]


async def test_others_are_served_between_many_requests_that_come_together(
    serving: LaneServer,
) -> None:
    serving.near.put("Tom", Value(b"630"))
    async with Connection(serving.url) as connection:
        server_side = await opened(serving)
        server_side.data_received(get("Tom") * 2_000)
        assert sum(serving.answered()[ANSWERED].values()) < 100
        for _ in range(2_000):
            assert await value(connection) == "630"


async def test_a_client_that_does_not_read_is_sent_no_more(serving: LaneServer) -> None:
    serving.near.put("Tom", Value(b"x" * 10_000))
    async with Connection(serving.url) as connection:
        for _ in range(3):
            connection.send(get("Tom"))
            await value(connection)
        server_side = await opened(serving)
        for _ in range(2_000):
            server_side.data_received(get("Tom"))
            await asyncio.sleep(0)
        assert server_side.transport.get_write_buffer_size() < 1_000_000
        for _ in range(2_000):
            assert await value(connection) == "x" * 10_000


async def test_a_client_that_stops_reading_between_answers_is_sent_no_kept_one(
    serving: LaneServer,
) -> None:
    async with Connection(serving.url) as connection:
        copy = serving.near.put("Sam", Value(b"567"))
        server_side = await with_kept_answer(serving, connection)
        kept = copy.touched
        assert kept > 0
        server_side.pause_writing()  # as uvloop does, whose writes go out after the turn
        server_side.data_received(get("Sam"))
        assert copy.touched == kept
        server_side.resume_writing()
        assert await value(connection) == "567"


async def test_a_large_value_that_comes_too_late_is_no_answer_to_the_next_request(
    serving: LaneServer,
) -> None:
    with ThreadPoolExecutor(1) as threads:
        asyncio.get_running_loop().set_default_executor(threads)
        serving.cluster.at_once["large"] = Value(b"x" * (OFF_LOOP_BYTES + 1))
        async with Connection(serving.url) as connection:
            server_side = await opened(serving)
            server_side.data_received(get("large"))
            server_side.data_received(get("Jack"))
            serving.running.end()
            jack = await serving.cluster.asked.get()
            await asyncio.to_thread(int)  # the large value's answer has been made
            await settled()
            jack.then(Value(b"589"))
            reply = await connection.reply()
            assert reply is not None
            assert reply.status == 503
            assert await value(connection) == "589"


async def test_a_connection_that_has_ended_is_let_go(serving: LaneServer) -> None:
    async with Connection(serving.url) as connection:
        ended = weakref.ref(await opened(serving))
        connection.send(get("Tom"))
        (await serving.cluster.asked.get()).then(Value(b"630"))
        assert await value(connection) == "630"
        connection.send(get("Jack"))
        asking = await serving.cluster.asked.get()
        connection.reset()
    await asking.given_up.wait()
    del asking
    await settled()
    assert serving.state.connections == set()
    gc.collect()
    assert ended() is None


@pytest.mark.parametrize("last", [get("Jack"), get("Jack").replace(b"GET", b"POST")])
async def test_a_server_that_stops_in_the_turn_of_an_answer_answers_what_came_behind(
    serving: LaneServer, last: bytes
) -> None:
    serving.cluster.at_once["Jack"] = Value(b"589")
    async with Connection(serving.url) as connection:
        server_side = await opened(serving)
        server_side.data_received(get("Tom"))
        server_side.data_received(last)
        (await serving.cluster.asked.get()).then(Value(b"630"))
        serving.shut_down()
        first, second = await connection.replies()
        assert ("connection" in first.headers, second.headers["connection"]) == (False, "close")


async def with_kept_answer(serving: LaneServer, connection: Connection) -> Served:
    """Have the answer to a get of Sam kept; return the server's side of the connection."""
    if "Sam" not in serving.near.copies:
        serving.near.put("Sam", Value(b"567"))
    for _ in range(3):
        connection.send(get("Sam"))
        assert await value(connection) == "567"
    return await opened(serving)


async def test_a_kept_answer_waits_for_the_one_request_before_it(serving: LaneServer) -> None:
    async with Connection(serving.url) as connection:
        server_side = await with_kept_answer(serving, connection)
        server_side.data_received(get("Tom"))
        server_side.data_received(get("Sam"))
        (await serving.cluster.asked.get()).then(Value(b"630"))
        assert [await value(connection) for _ in range(2)] == ["630", "567"]


async def test_a_kept_answer_waits_for_the_apps(serving: LaneServer) -> None:
    async with Connection(serving.url) as connection:
        server_side = await with_kept_answer(serving, connection)
        server_side.data_received(get("Tom", fields="X-Odd: 1\r\n"))
        server_side.data_received(get("Sam"))
        assert [await value(connection) for _ in range(2)] == ["inner", "567"]


async def test_a_large_near_copy_that_outlives_the_grace_is_answered_503(
    serving: LaneServer,
) -> None:
    go_on = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        asyncio.get_running_loop().set_default_executor(threads)
        threads.submit(go_on.wait, 10)
        serving.near.put("large", Value(b"x" * (OFF_LOOP_BYTES + 1)))
        async with Connection(serving.url) as connection:
            server_side = await opened(serving)
            server_side.data_received(get("large"))
            serving.shut_down()
            serving.running.end()
            (reply,) = await connection.replies()
            assert (reply.status, reply.problem["detail"]) == (503, "the gateway is draining")
            go_on.set()


@pytest.mark.parametrize("behind", [b"", get("Jack")], ids=["alone", "another behind"])
async def test_what_the_lane_fails_at_as_the_server_ends_is_answered_once(
    serving: LaneServer, behind: bytes
) -> None:
    serving.cluster.at_once |= {"x": Value(cast("bytes", ["x"])), "Jack": Value(b"589")}
    async with Connection(serving.url) as connection:
        server_side = await opened(serving)
        server_side.data_received(get("x"))
        if behind:
            server_side.data_received(behind)
        serving.shut_down()
        serving.running.end()  # in the turn in which the lane has failed
        statuses = [reply.status for reply in await connection.replies()]
    assert statuses == ([503, 200] if behind else [503])
    assert serving.inner.asked.empty()


async def test_a_client_that_hangs_up_is_noticed_however_much_it_has_sent_ahead_before(
    serving: LaneServer,
) -> None:
    long = f"X-Request-Id: {'x' * 3_000}\r\n"
    async with Connection(serving.url) as connection:
        server_side = await opened(serving)
        for _ in range(20 * AHEAD_BYTES // 3_000):
            for key in ("Tom", "Jack"):
                server_side.data_received(get(key, fields=long))
            for key in ("Tom", "Jack"):
                (await serving.cluster.asked.get()).then(Value(key.encode()))
                assert await value(connection) == key
        for key in ("Tom", "Jack"):
            server_side.data_received(get(key))
        asking = await serving.cluster.asked.get()
        connection.reset()
    async with asyncio.timeout(5):
        await asking.given_up.wait()

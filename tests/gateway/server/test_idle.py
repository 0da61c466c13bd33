"""When connections are closed on which nothing is asked: neither too soon nor never."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from lane_server import LaneServer, get, lane_server, value
from raw_http import Connection

from cache_core.value import Value

APPS = b"HEAD /other HTTP/1.1\r\nHost: x\r\n\r\n"
KEEP_ALIVE = 0.1


@pytest.fixture
async def serving() -> AsyncIterator[LaneServer]:
    async with lane_server(keep_alive=KEEP_ALIVE, with_near=True) as server:
        server.cluster.at_once["Tom"] = Value(b"630")
        yield server


async def timed_out(serving: LaneServer) -> None:
    """Return once a connection has been closed on which something was answered just now."""
    async with Connection(serving.url) as idle:
        idle.send(get("Tom"))
        assert await value(idle) == "630"
        assert await idle.reply() is None


@pytest.mark.parametrize("near", [True, False])
async def test_the_time_counts_from_the_last_answer(serving: LaneServer, near: bool) -> None:
    if near:
        serving.near.put("Tom", Value(b"630"))
    now = asyncio.get_running_loop().time
    async with Connection(serving.url) as connection:
        begun = last = now()
        while last < begun + KEEP_ALIVE / 2:
            last = now()
            connection.send(get("Tom"))
            assert await value(connection) == "630"
        assert await connection.reply() is None
    assert now() >= last + KEEP_ALIVE


@pytest.mark.parametrize("before", [get("Tom"), APPS], ids=["lane", "app"])
async def test_a_request_that_the_app_answers_slowly_is_not_cut(
    serving: LaneServer, before: bytes
) -> None:
    async with Connection(serving.url) as connection:
        connection.send(before)
        assert await connection.reply(to_head=before is APPS) is not None
        serving.inner.gate.clear()
        connection.send(get("Jack").replace(b"GET", b"POST"))
        assert await serving.inner.asked.get() != ""
        await timed_out(serving)
        serving.inner.gate.set()
        assert await value(connection) == "inner"


async def test_after_the_apps_answer_the_lanes_idle_time_goes_on(serving: LaneServer) -> None:
    async with Connection(serving.url) as connection:
        connection.send(APPS)
        assert await connection.reply(to_head=True) is not None
        connection.send(get("Tom"))
        assert await value(connection) == "630"
        assert await connection.reply() is None

"""When connections are closed on which nothing is asked: neither too soon nor never."""

import pytest
from lane_server import LaneServer, get, value
from virtual_lane import VirtualConnection
from virtual_time import after, in_virtual_time, now

from cache_core.value import Value

APPS = b"HEAD /other HTTP/1.1\r\nHost: x\r\n\r\n"
KEEP_ALIVE = 5.0


def idle_server() -> LaneServer:
    serving = LaneServer(keep_alive=KEEP_ALIVE, with_near=True)
    serving.cluster.at_once["Tom"] = Value(b"630")
    return serving


@in_virtual_time
async def test_the_time_counts_from_the_last_answer_of_a_node() -> None:
    await counts_from_the_last_answer(idle_server())


@in_virtual_time
async def test_the_time_counts_from_the_last_answer_of_a_near_copy() -> None:
    serving = idle_server()
    serving.near.put("Tom", Value(b"630"))
    await counts_from_the_last_answer(serving)


async def counts_from_the_last_answer(serving: LaneServer) -> None:
    async with VirtualConnection(serving) as connection:
        for _ in range(4):
            connection.send(get("Tom"))
            assert await value(connection) == "630"
            last = now()
            await after(KEEP_ALIVE - 1)
        assert await connection.reply() is None
        assert now() == last + KEEP_ALIVE


@pytest.mark.parametrize("before", [get("Tom"), APPS], ids=["lane", "app"])
@in_virtual_time
async def test_a_request_that_the_app_answers_slowly_is_not_cut(before: bytes) -> None:
    serving = idle_server()
    async with VirtualConnection(serving) as connection:
        connection.send(before)
        assert await connection.reply(to_head=before is APPS) is not None
        serving.inner.gate.clear()
        connection.send(get("Jack").replace(b"GET", b"POST"))
        assert await serving.inner.asked.get() != ""
        await after(3 * KEEP_ALIVE)
        serving.inner.gate.set()
        assert await value(connection) == "inner"


@in_virtual_time
async def test_after_the_apps_answer_the_lanes_idle_time_goes_on() -> None:
    async with VirtualConnection(idle_server()) as connection:
        connection.send(APPS)
        assert await connection.reply(to_head=True) is not None
        connection.send(get("Tom"))
        assert await value(connection) == "630"
        assert await connection.reply() is None

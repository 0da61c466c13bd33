"""Values of all sizes by the lane, and those that it fails at."""

from typing import cast

import pytest
from lane_server import LaneServer, get, lane_server, value
from raw_http import Connection

from cache_core.value import Value
from gateway.routes.off_loop import OFF_LOOP_BYTES


@pytest.mark.parametrize("size", [1, OFF_LOOP_BYTES, OFF_LOOP_BYTES + 1])
async def test_values_of_all_sizes_are_answered(
    serving: LaneServer, connection: Connection, size: int
) -> None:
    serving.cluster.at_once["x"] = Value(b"x" * size)
    connection.send(get("x", query="?alt=media"))
    reply = await connection.reply()
    assert reply is not None
    assert reply.body == b"x" * size
    assert serving.inner.asked.empty()


@pytest.mark.parametrize("size", [1, OFF_LOOP_BYTES + 1])
async def test_what_fails_in_the_lane_is_the_apps(
    serving: LaneServer, connection: Connection, size: int
) -> None:
    no_bytes = cast("bytes", ["x"] * size)
    serving.cluster.at_once["x"] = Value(no_bytes)
    connection.send(get("x"))
    assert await value(connection) == "inner"


async def test_large_answers_that_are_made_at_once_are_refused_where_they_take_too_much() -> None:
    async with lane_server(request_memory=3 * OFF_LOOP_BYTES) as server:
        server.cluster.at_once["x"] = Value(b"x" * (2 * OFF_LOOP_BYTES))
        async with Connection(server.url) as one:
            one.send(get("x"))
            reply = await one.reply()
            assert reply is not None
            assert (reply.status, reply.problem["reason"]) == (503, "gateway-busy")
            server.cluster.at_once["x"] = Value(b"x" * (OFF_LOOP_BYTES + 1))
            one.send(get("x"))
            reply = await one.reply()
            assert reply is not None
            assert reply.status == 200

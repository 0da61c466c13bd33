"""The fast lane's connections: order, hang-ups, stops, time-outs and readers that do not read."""

import asyncio
import socket
from urllib.parse import urlsplit

import pytest
from fakes import settled
from lane_server import LaneServer, get, value
from raw_http import Connection
from virtual_lane import VirtualConnection
from virtual_time import after, in_virtual_time

from cache_core.errors import NotFound
from cache_core.trace import NO_TRACE, Trace, current_trace
from cache_core.value import Value


async def all_read(serving: LaneServer) -> None:
    """Return once what was sent has been read: who comes later has been answered."""
    serving.cluster.at_once["Sam"] = Value(b"567")
    async with Connection(serving.url) as other:
        other.send(get("Sam"))
        assert await value(other) == "567"


async def test_a_plain_get_is_asked_for_without_the_app(
    serving: LaneServer, connection: Connection
) -> None:
    for score in (b"630", b"630", b"630", b"631"):  # it is remembered from the second on
        connection.send(get("Tom"))
        asking = await serving.cluster.asked.get()
        assert asking.key == ("scores", "Tom")
        assert 0 < asking.deadline - asyncio.get_running_loop().time() <= 10
        asking.then(Value(score))
        assert await value(connection) == score.decode()
    assert serving.inner.asked.empty()


async def test_what_is_known_in_the_turn_that_asks_is_answered(
    serving: LaneServer, connection: Connection
) -> None:
    serving.cluster.at_once["Tom"] = Value(b"630")
    for _ in range(4):
        connection.send(get("Tom"))
        assert await value(connection) == "630"


async def test_what_comes_in_parts_is_the_apps(serving: LaneServer, connection: Connection) -> None:
    connection.send(get("Tom")[:9])
    await all_read(serving)
    connection.send(get("Tom")[9:])
    assert await value(connection) == "inner"


async def test_what_comes_together_is_asked_for_one_by_one_without_the_app(
    serving: LaneServer, connection: Connection
) -> None:
    connection.send(get("Tom") + get("Jack") + get("Sam")[:9])
    for key, score in (("Tom", "630"), ("Jack", "589")):
        asking = await serving.cluster.asked.get()
        assert asking.key == ("scores", key)
        assert serving.cluster.asked.empty()
        asking.then(Value(score.encode()))
        assert await value(connection) == score
    assert serving.inner.asked.empty()
    connection.send(get("Sam")[9:])
    assert await value(connection) == "inner"


async def test_each_request_is_asked_for_in_its_own_trace_or_in_none(
    serving: LaneServer, connection: Connection
) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    connection.send(get("Tom", fields=f"traceparent: {parent}\r\n"))
    tom = await serving.cluster.asked.get()
    connection.send(get("Jack"))
    await all_read(serving)
    current_trace.set(Trace("of another"))  # what answers Tom may run for somebody else
    tom.then(Value(b"630"))
    jack = await serving.cluster.asked.get()
    assert (tom.trace, jack.trace) == (Trace(parent), NO_TRACE)


async def test_what_comes_behind_a_request_waits_for_its_answer(
    serving: LaneServer, connection: Connection
) -> None:
    connection.send(get("Tom"))
    tom = await serving.cluster.asked.get()
    connection.send(get("Jack"))
    await all_read(serving)
    assert serving.cluster.asked.empty()
    tom.then(Value(b"630"))
    (await serving.cluster.asked.get()).then(Value(b"589"))
    assert [await value(connection), await value(connection)] == ["630", "589"]


async def test_many_requests_behind_one_are_answered_in_order(
    serving: LaneServer, connection: Connection
) -> None:
    connection.send(get("Tom"))
    tom = await serving.cluster.asked.get()
    serving.cluster.at_once |= {f"key{n}": Value(b"%d" % n) for n in range(500)}
    for number in range(500):
        connection.send(get(f"key{number}"))
        await settled()
    tom.then(Value(b"630"))
    assert [await value(connection) for _ in range(501)] == ["630", *map(str, range(500))]
    assert serving.inner.asked.empty()


async def test_an_error_changes_nothing_for_what_comes_behind_it(
    serving: LaneServer, connection: Connection
) -> None:
    connection.send(get("Tom"))
    tom = await serving.cluster.asked.get()
    connection.send(b"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n")
    await all_read(serving)
    try:
        raise NotFound.of("Tom")
    except NotFound as error:
        tom.then(error)
    first, second = await connection.replies()
    assert (first.status, second.status) == (404, 400)
    words = "the target should be a path, or an http URI without userinfo"
    assert second.problem["detail"] == words


async def test_a_flood_behind_a_request_is_not_read(
    serving: LaneServer, connection: Connection
) -> None:
    connection.send(get("Tom"))
    tom = await serving.cluster.asked.get()
    connection.send(b"GET /" + b"k" * (8 * 1024 * 1024))
    for _ in range(50):  # in as many turns, all of it could be read
        await all_read(serving)
    assert connection.writer.transport.get_write_buffer_size() > 0
    tom.then(Value(b"630"))
    assert await value(connection) == "630"
    reply = await connection.reply()
    assert reply is not None
    assert reply.status == 414


async def test_who_hangs_up_asks_no_more(serving: LaneServer, connection: Connection) -> None:
    connection.send(get("Tom"))
    asking = await serving.cluster.asked.get()
    connection.reset()
    await asking.given_up.wait()
    serving.running.end()  # of it, nothing is left to end


async def test_who_closes_the_sending_side_alone_is_answered_before_the_connection_ends(
    serving: LaneServer, connection: Connection
) -> None:
    connection.send(get("Tom") + get("Jack"))
    tom = await serving.cluster.asked.get()
    connection.writer.write_eof()
    await all_read(serving)
    tom.then(Value(b"630"))
    (await serving.cluster.asked.get()).then(NotFound.of("Jack"))
    first, second = await connection.replies()
    assert (first.status, "connection" in first.headers) == (200, False)
    assert (second.status, second.headers["connection"]) == (404, "close")


@pytest.mark.parametrize("begun", [b"", b"\r\n", get("Tom")[:9]])
async def test_who_closes_the_sending_side_without_a_request_is_let_go(
    connection: Connection, begun: bytes
) -> None:
    connection.send(begun)
    connection.writer.write_eof()
    assert await connection.replies() == []


async def test_a_request_that_waits_when_the_server_stops_is_answered_and_then_closed(
    serving: LaneServer, connection: Connection
) -> None:
    async with Connection(serving.url) as idle:
        serving.cluster.at_once["Sam"] = Value(b"567")
        idle.send(get("Sam"))
        assert await value(idle) == "567"
        connection.send(get("Tom"))
        asking = await serving.cluster.asked.get()
        serving.shut_down()
        assert await idle.reply() is None
    asking.then(NotFound.of("Tom"))
    reply = await connection.reply()
    assert reply is not None
    assert (reply.status, reply.headers["connection"]) == (404, "close")
    assert await connection.reply() is None


async def test_what_came_before_the_server_stops_is_answered_before_it_closes(
    serving: LaneServer, connection: Connection
) -> None:
    connection.send(get("Tom"))
    tom = await serving.cluster.asked.get()
    connection.send(get("Jack"))
    await all_read(serving)
    serving.shut_down()
    tom.then(Value(b"630"))
    (await serving.cluster.asked.get()).then(Value(b"589"))
    first, second = await connection.replies()
    assert ("connection" in first.headers, second.headers["connection"]) == (False, "close")


async def test_what_outlives_the_servers_grace_is_answered_503(
    serving: LaneServer, connection: Connection
) -> None:
    connection.send(get("Tom"))
    asking = await serving.cluster.asked.get()
    serving.shut_down()
    serving.running.end()
    (reply,) = await connection.replies()
    assert (reply.status, reply.problem["detail"]) == (503, "the gateway is draining")
    assert reply.problem["instance"] == "/groups/scores/keys/Tom"
    assert asking.given_up.is_set()


@in_virtual_time
async def test_an_idle_connection_is_closed_and_one_that_waits_is_not() -> None:
    serving = LaneServer(keep_alive=5)
    serving.cluster.at_once["Tom"] = Value(b"630")
    async with VirtualConnection(serving) as idle, VirtualConnection(serving) as waiting:
        for connection in (waiting, idle):
            connection.send(get("Tom"))
            assert await value(connection) == "630"
        waiting.send(get("Jack"))
        asking = await serving.cluster.asked.get()
        assert await idle.reply() is None
        asking.then(Value(b"589"))
        assert await value(waiting) == "589"
        assert await waiting.reply() is None


@in_virtual_time
async def test_the_time_that_the_first_request_may_take_ends_with_it() -> None:
    serving = LaneServer(receive_timeout=10)
    async with VirtualConnection(serving) as slow, VirtualConnection(serving) as mute:
        slow.send(get("Tom"))
        asking = await serving.cluster.asked.get()
        assert await mute.reply() is None
        await after(10)
        asking.then(Value(b"630"))
        assert await value(slow) == "630"


async def test_who_does_not_read_is_served_no_more_until_then(serving: LaneServer) -> None:
    large = b"x" * (8 * 1024 * 1024)
    serving.cluster.at_once["large"] = Value(large)
    where = urlsplit(serving.url)
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await loop.sock_connect(sock, (where.hostname, where.port))
        await loop.sock_sendall(sock, get("large", query="?alt=media"))
        got = len(await loop.sock_recv(sock, 1))
        await loop.sock_sendall(sock, get("Tom") + get("Jack").replace(b"GET", b"POST"))
        await all_read(serving)
        assert serving.cluster.asked.empty()
        while serving.cluster.asked.empty():
            got += len(await loop.sock_recv(sock, 1 << 20))
        (await serving.cluster.asked.get()).then(Value(b"630"))
        end = b""
        while not end.endswith(b"inner"):
            part = await loop.sock_recv(sock, 1 << 20)
            got, end = got + len(part), (end + part)[-1000:]
        assert got > len(large)
        assert b'"630"' in end

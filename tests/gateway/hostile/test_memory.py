"""Clients that take memory: by what they send without end, and by what they never read."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import pytest
from fakes import FakeSource, settled
from lane_server import lane_server
from processes import GatewayAt
from raw_http import Connection, exchange

from cache_core import Node
from cache_core.value import Value
from gateway.http.limits import Limits

HEAD = b" HTTP/1.1\r\nHost: x\r\n"
LAST = b"GET /groups/scores/keys/Tom" + HEAD + b"Connection: close\r\n\r\n"
LARGE = b"GET /groups/scores/keys/large?alt=media" + HEAD + b"\r\n"
TOTAL = 10 * 1024 * 1024
SIZE = 4 * 1024 * 1024 - 1024
BATCH = b"POST /groups/scores/keys:batchGet" + HEAD + b"Content-Type: application/json\r\n"


@asynccontextmanager
async def unread(url: str, said: bytes) -> AsyncIterator[socket.socket]:
    """A client that has said something and reads nothing of the answer."""
    where, loop = urlsplit(url), asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await loop.sock_connect(sock, (where.hostname, where.port))
        await loop.sock_sendall(sock, said)
        yield sock


async def is_cut_off(sock: socket.socket) -> bool:
    """Read on; return whether the connection is lost before all of a large value has come."""
    got = 0
    try:
        while part := await asyncio.get_running_loop().sock_recv(sock, 1 << 20):
            got += len(part)
            if got > SIZE:
                return False
    except ConnectionResetError:
        pass
    return True


async def answers(url: str) -> None:
    (reply,) = await exchange(url, LAST)
    assert reply.status == 200


@pytest.mark.parametrize("end", [b"", LARGE, b"GARBAGE\r\n\r\n"], ids=["", "more", "refused"])
async def test_who_reads_nothing_is_cut_off(end: bytes) -> None:
    async with lane_server(send_timeout=0.2) as serving:
        serving.cluster.at_once["large"] = Value(b"x" * SIZE)
        async with unread(serving.url, LARGE) as sock, asyncio.timeout(10):
            await asyncio.get_running_loop().sock_recv(sock, 1)
            assert len(serving.state.connections) == 1
            await asyncio.get_running_loop().sock_sendall(sock, end)
            while serving.state.connections:
                await settled()
            assert await is_cut_off(sock)


async def test_those_who_read_nothing_leave_no_more_than_they_may_together() -> None:
    async with (
        lane_server(answer_memory=TOTAL) as serving,
        AsyncExitStack() as stack,
        asyncio.timeout(10),
    ):
        serving.cluster.at_once["large"] = Value(b"x" * SIZE)
        clients = [await stack.enter_async_context(unread(serving.url, LARGE)) for _ in range(20)]
        for client in clients:
            await asyncio.get_running_loop().sock_recv(client, 1)
        while serving.memory.total > TOTAL or len(serving.state.connections) == 20:
            await settled()
        left = len(serving.state.connections)
        assert left > 0
        assert [await is_cut_off(client) for client in clients].count(False) == left
        assert serving.memory.total == 0


async def test_half_sent_bodies_hold_no_more_than_they_may_together(
    node: Node, gateway_at: GatewayAt
) -> None:
    limits = Limits(timeout=10, request_memory=1024 * 1024)
    url = await gateway_at(node.address, limits=limits)
    body = b'{"keys":["%b"]}' % (b"a" * 300_000)
    begun = BATCH + b"Content-Length: %d\r\n\r\n" % len(body) + body[:-1]
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Connection(url)) for _ in range(8)]
        for client in clients:
            client.send(begun)
        replies = [asyncio.ensure_future(client.reply()) for client in clients]
        for _ in range(5):
            done, _ = await asyncio.wait(replies, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                reply = each.result()
                replies.remove(each)
                assert reply is not None
                assert (reply.status, reply.problem["reason"]) == (503, "gateway-busy")
                assert reply.headers["retry-after"] == "1"
            if len(replies) == 3:
                break
        await answers(url)
        for client in clients:
            client.send(body[-1:])
        assert [reply.status for reply in await asyncio.gather(*replies) if reply] == [200] * 3
    await answers(url)


async def test_clients_that_read_nothing_make_no_room_for_others(
    node: Node, source: FakeSource, gateway_at: GatewayAt
) -> None:
    source.values["large"] = b"x" * SIZE
    url = await gateway_at(node.address, limits=Limits(timeout=10, max_connections=20))
    async with AsyncExitStack() as stack:
        for _ in range(20):
            client = await stack.enter_async_context(unread(url, LARGE))
            await asyncio.get_running_loop().sock_recv(client, 1)
        async with Connection(url) as newcomer:
            (reply,) = await newcomer.replies()
    assert (reply.status, reply.problem["reason"]) == (503, "too-many-connections")


@pytest.mark.parametrize("fields", [b"", b"X-Odd: 1\r\n"], ids=["lane", "app"])
async def test_large_answers_that_are_made_take_no_more_than_they_may(
    node: Node, source: FakeSource, gateway_at: GatewayAt, fields: bytes
) -> None:
    source.values |= {"large": b"x" * SIZE, "less": b"x" * 400_000}
    url = await gateway_at(node.address, limits=Limits(timeout=10, request_memory=1024 * 1024))
    ask = b"GET /groups/scores/keys/%b" + HEAD + fields + b"\r\n"
    async with Connection(url) as connection:
        for _ in range(4):
            for key, status in ((b"large", 503), (b"less", 200)):
                connection.send(ask % key)
                reply = await connection.reply()
                assert reply is not None
                assert reply.status == status


async def test_silent_connections_shut_nobody_out(
    node: Node, gateway_at: GatewayAt, caplog: pytest.LogCaptureFixture
) -> None:
    url = await gateway_at(node.address, limits=Limits(timeout=10, max_connections=20))
    async with AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(Connection(url)) for _ in range(20)]
        await answers(url)
        assert await silent[0].reply() is None
        for _ in range(30):
            await answers(url)
        silent[-1].send(LAST)
        reply = await silent[-1].reply()
        assert reply is not None
        assert reply.status == 200
    (record,) = caplog.records
    assert "max_connections" in record.getMessage()


async def test_where_all_connections_are_busy_a_new_one_is_refused_in_words(
    node: Node, source: FakeSource, gateway_at: GatewayAt
) -> None:
    url = await gateway_at(node.address, limits=Limits(timeout=10, max_connections=20))
    source.gate.clear()
    async with AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(Connection(url)) for _ in range(20)]
        for number, connection in enumerate(busy):
            connection.send(LAST.replace(b"Tom", b"%d" % number))
        while len(source.lookups) < len(busy):
            source.asked.clear()
            await source.asked.wait()
        async with Connection(url) as newcomer:
            (reply,) = await newcomer.replies()
        assert (reply.status, reply.problem["reason"]) == (503, "too-many-connections")
        assert (reply.headers["connection"], reply.headers["retry-after"]) == ("close", "1")
        source.gate.set()
        for connection in busy:
            assert [each.status for each in await connection.replies()] == [404]

"""Several requests on a connection, and connections that end midway or are slow."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from fakes import FakeSource
from processes import GatewayAt
from raw_http import Connection, exchange

from cache_core import Node
from gateway.http.limits import Limits

TOM = b"/groups/scores/keys/Tom"
HEAD = b" HTTP/1.1\r\nHost: x\r\n"
LAST = b"GET " + TOM + HEAD + b"Connection: close\r\n\r\n"


def get(key: bytes, fields: bytes = b"") -> bytes:
    return b"GET /groups/scores/keys/" + key + HEAD + fields + b"\r\n"


@pytest.fixture
async def url(
    node: Node, gateway_at: GatewayAt, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[str]:
    """A gateway to which requests must come fast, and that has said nothing in the log."""
    limits = Limits(timeout=10, receive_timeout=0.2)
    at = await gateway_at(node.address, limits=limits)
    yield at
    assert [reply.status for reply in await exchange(at, LAST)] == [200]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_pipelined_requests_are_answered_in_their_order(url: str) -> None:
    keys = [b"Tom", b"Jack", b"Sam", b"Alice"] * 25
    replies = await exchange(url, b"".join(map(get, keys)) + LAST)
    values = {b"Tom": b"630", b"Jack": b"589", b"Sam": b"567", b"Alice": b"788"}
    assert len(replies) == 101
    for key, reply in zip(keys, replies[:-1], strict=True):
        assert b'"value":"%b"' % values[key] in reply.body


@pytest.mark.parametrize(
    "garbage",
    [
        b"GARBAGE\r\n\r\n",
        get(b"Tom").replace(b"Host: x\r\n", b""),
        get(b"Tom", b"Transfer-Encoding: chunked\r\n") + b"zz\r\n",
    ],
)
async def test_garbage_is_answered_after_what_came_before_it(
    url: str, source: FakeSource, garbage: bytes
) -> None:
    source.gate.clear()
    async with Connection(url) as connection:
        connection.send(get(b"Tom") + get(b"Jack") + garbage + get(b"Sam"))
        await source.asked.wait()
        source.gate.set()
        replies = await connection.replies()
    assert [reply.status for reply in replies] == [200, 200, 400]
    assert source.lookups == ["Tom", "Jack"]


async def test_garbage_behind_an_answer_that_is_out_ends_the_connection(url: str) -> None:
    async with Connection(url) as connection:
        connection.send(get(b"Tom", b"Transfer-Encoding: chunked\r\n"))
        reply = await connection.reply()
        assert reply is not None
        assert reply.status == 200
        connection.send(b"zz\r\n")
        assert await connection.replies() == []


async def test_a_request_behind_an_upgrade_is_answered(url: str) -> None:
    upgrade = get(b"Tom", b"Upgrade: h2c\r\nConnection: Upgrade\r\n")
    assert [reply.status for reply in await exchange(url, upgrade + LAST)] == [200, 200]


UPGRADES = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
)
SMUGGLED = b"DELETE " + TOM + HEAD + b"\r\n"


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED),
    ],
    ids=["of a length", "in chunks"],
)
@pytest.mark.parametrize("step", [1, 7, 10_000])
async def test_a_body_behind_an_upgrade_is_a_body(
    url: str, source: FakeSource, upgrade: bytes, body: bytes, step: int
) -> None:
    said = b"GET " + TOM + HEAD + upgrade + body + get(b"Tom") + LAST
    async with Connection(url) as connection:
        for start in range(0, len(said), step):
            connection.send(said[start : start + step])
            await asyncio.sleep(0)
        replies = await connection.replies()
    assert [reply.status for reply in replies] == [200] * 3
    assert source.lookups == ["Tom"]  # what was removed would be looked up once more


@pytest.mark.parametrize("length", [b"0", b"00"])
async def test_a_body_of_no_bytes_behind_an_upgrade_is_not_waited_for(
    url: str, length: bytes
) -> None:
    said = b"GET " + TOM + HEAD + UPGRADES[0] + b"Content-Length: %b\r\n\r\n" % length
    assert [reply.status for reply in await exchange(url, said + LAST)] == [200, 200]


@pytest.mark.parametrize("upgrade", UPGRADES)
async def test_a_post_that_offers_an_upgrade_has_its_body(url: str, upgrade: bytes) -> None:
    asked = b'{"keys":["Tom","Sam"]}'
    post = b"POST /groups/scores/keys:batchGet" + HEAD + b"Content-Type: application/json\r\n"
    said = post + upgrade + b"Content-Length: %d\r\n\r\n" % len(asked) + asked
    first, second = await exchange(url, said + LAST)
    assert (first.status, second.status) == (200, 200)
    assert b'"630"' in first.body
    assert b'"567"' in first.body


async def test_connect_is_refused_and_what_is_behind_it_is_not_served(
    url: str, source: FakeSource
) -> None:
    for target in (b"x:80", b"/", TOM):
        replies = await exchange(url, b"CONNECT " + target + HEAD + b"\r\n" + get(b"Tom"))
        assert [reply.status for reply in replies] == [400]
    assert source.lookups == []


async def test_nothing_is_served_behind_the_last_request(url: str, source: FakeSource) -> None:
    assert len(await exchange(url, LAST + get(b"Jack"))) == 1
    assert source.lookups == ["Tom"]


@pytest.mark.parametrize(
    "part",
    [b"G", b"GET " + TOM, b"GET " + TOM + HEAD, b"GET " + TOM + HEAD + b"X: a"],
)
async def test_a_head_that_does_not_end_is_408(url: str, part: bytes) -> None:
    (reply,) = await exchange(url, part)
    assert (reply.status, reply.problem["reason"]) == (408, "request-timeout")


async def test_a_trickle_of_headers_holds_no_connection_for_ever(url: str) -> None:
    async with Connection(url) as connection:
        connection.send(b"GET " + TOM + HEAD)

        async def trickle() -> None:
            while True:
                connection.send(b"X: a\r\n")
                await connection.writer.drain()
                await asyncio.sleep(0.01)

        trickling = asyncio.create_task(trickle())
        replies = await connection.replies()
        trickling.cancel()
        await asyncio.gather(trickling, return_exceptions=True)
    assert [reply.status for reply in replies] == [408]


@pytest.mark.parametrize("begin", [b"", b"\r\n", b"\r\n\r\n\r\n"])
async def test_who_asks_nothing_is_hung_up_on(url: str, begin: bytes) -> None:
    assert await exchange(url, begin) == []


async def test_empty_lines_do_not_keep_a_connection_nor_end_it(
    node: Node, gateway_at: GatewayAt
) -> None:
    limits = Limits(timeout=10, receive_timeout=0.1, keep_alive=0.5)
    url, now = await gateway_at(node.address, limits=limits), asyncio.get_running_loop().time
    async with Connection(url) as connection:
        connection.send(get(b"Tom"))
        assert await connection.reply() is not None
        began = now()
        connection.send(b"\r\n")
        assert await connection.reply() is None
        assert 0.45 < now() - began < 5


async def test_a_slow_answer_is_not_a_slow_request(url: str, source: FakeSource) -> None:
    source.gate.clear()
    async with Connection(url) as slow:
        slow.send(get(b"Tom", b"Connection: close\r\n"))
        await source.asked.wait()
        assert await exchange(url, b"") == []  # a connection that came later has been timed out
        source.gate.set()
        assert [reply.status for reply in await slow.replies()] == [200]


async def test_headers_without_an_end_are_431_before_their_time_is_over(
    node: Node, gateway_at: GatewayAt
) -> None:
    at = await gateway_at(node.address, limits=Limits(receive_timeout=50))
    (reply,) = await exchange(at, b"GET " + TOM + HEAD + b"X: " + b"a" * 500_000)
    assert (reply.status, reply.problem["reason"]) == (431, "headers-too-large")
    (reply,) = await exchange(at, b"GET /" + b"a" * 500_000)
    assert (reply.status, reply.problem["reason"]) == (414, "target-too-long")


async def test_a_client_that_hangs_up_in_its_request_leaves_nothing(url: str) -> None:
    for part in (b"", b"GET ", b"GET " + TOM + HEAD, get(b"Tom", b"Content-Length: 5\r\n") + b"ab"):
        async with Connection(url) as connection:
            connection.send(part)
            await connection.writer.drain()


@pytest.mark.parametrize(
    "fields",
    [b"", b"X-Odd: 1\r\n", b"Transfer-Encoding: chunked\r\n\r\n0\r\n"],
    ids=["lane", "app", "body"],
)
async def test_a_client_that_closes_its_sending_side_is_answered(
    url: str, source: FakeSource, fields: bytes
) -> None:
    source.gate.clear()
    async with Connection(url) as connection:
        connection.send(get(b"Tom", fields))
        connection.writer.write_eof()
        await source.asked.wait()
        source.gate.set()
        replies = await connection.replies()
    assert [reply.status for reply in replies] == [200]
    assert replies[0].headers["connection"] == "close"


async def test_readiness_is_told_to_a_client_that_closes_its_sending_side(url: str) -> None:
    async with Connection(url) as connection:
        connection.send(b"GET /readyz" + HEAD + b"\r\n")
        connection.writer.write_eof()
        assert [reply.status for reply in await connection.replies()] == [200]


async def test_a_client_that_closes_its_sending_side_within_a_request_is_let_go(
    url: str, source: FakeSource
) -> None:
    begun = b"POST /groups/scores/keys:batchGet" + HEAD + b"Content-Type: application/json\r\n"
    for part in (begun, begun + b"Content-Length: 20\r\n\r\n{"):
        async with Connection(url) as connection:
            connection.send(part)
            connection.writer.write_eof()
            assert await connection.replies() == []
    assert source.lookups == []


@pytest.mark.parametrize("fields", [b"", b"X-Odd: 1\r\n"], ids=["lane", "app"])
async def test_a_client_that_hangs_up_cancels_the_first_of_its_requests_too(
    url: str, source: FakeSource, fields: bytes
) -> None:
    source.gate.clear()
    async with Connection(url) as connection:
        connection.send(get(b"Tom", fields) + get(b"Jack", fields))
        await source.asked.wait()
        connection.reset()
    async with asyncio.timeout(5):  # half of the deadline, which would end it as well
        await source.left.wait()
    assert source.cancelled == ["Tom"]
    source.gate.set()


async def test_who_is_not_read_from_is_not_slow(url: str, source: FakeSource) -> None:
    source.gate.clear()
    async with Connection(url) as connection:
        connection.send(get(b"Tom", b"Content-Length: 1000000\r\n"))
        connection.send(b"x" * 1_000_000 + LAST)  # nobody wants this body, so it is not read
        await source.asked.wait()
        for _ in range(2):
            assert await exchange(url, b"") == []  # a time-out has passed, and one more
        source.gate.set()
        assert [reply.status for reply in await connection.replies()] == [200, 200]


@pytest.mark.parametrize("target", [TOM, b"/livez"], ids=["lane", "app"])
async def test_an_idle_connection_is_kept_for_its_own_time_and_not_that_of_a_request(
    node: Node, gateway_at: GatewayAt, target: bytes
) -> None:
    limits = Limits(timeout=10, receive_timeout=0.1, keep_alive=0.5)
    url = await gateway_at(node.address, limits=limits)
    now = asyncio.get_running_loop().time
    async with Connection(url) as connection:
        connection.send(b"GET " + target + HEAD + b"\r\n")
        assert await connection.reply() is not None
        began = now()
        assert await connection.reply() is None
        assert 0.45 < now() - began < 5

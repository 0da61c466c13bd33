"""A request ends with its client, seen at the node's source."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fakes import FakeSource
from processes import GatewayAt
from raw_http import Connection
from starlette.types import Message, Receive, Scope, Send

from cache_core import Node
from gateway.middleware.hang_up import HangUp

TOM = "/groups/scores/keys/Tom"


@asynccontextmanager
async def asking(url: str, key: str = "Tom", fields: str = "") -> AsyncIterator[Connection]:
    async with Connection(url) as connection:
        connection.send(
            f"GET /groups/scores/keys/{key} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode()
        )
        yield connection


async def test_a_client_that_hangs_up_cancels_its_load(
    gateway_url: str, source: FakeSource, caplog: pytest.LogCaptureFixture
) -> None:
    source.gate.clear()
    async with asking(gateway_url) as connection:
        await source.asked.wait()
        connection.reset()
        await source.left.wait()
    assert source.cancelled == ["Tom"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_it_also_does_after_a_body_that_nobody_wants(
    gateway_url: str, source: FakeSource
) -> None:
    source.gate.clear()
    async with asking(gateway_url, fields="Content-Length: 0\r\n") as connection:
        await source.asked.wait()
        connection.reset()
        async with asyncio.timeout(5):  # half of the deadline, which would end it as well
            await source.left.wait()
    assert source.cancelled == ["Tom"]


async def test_a_load_that_others_wait_for_goes_on(
    node: Node, gateway_url: str, gateway_at: GatewayAt, source: FakeSource
) -> None:
    source.gate.clear()
    other = await gateway_at(node.address)
    async with httpx.AsyncClient(base_url=other, trust_env=False, verify=False, timeout=20) as http:
        async with asking(gateway_url) as leaving:
            await source.asked.wait()
            staying = asyncio.create_task(http.get(TOM))
            source.asked.clear()
            # A key of its own on the same way shows that the get before it has come.
            after = asyncio.create_task(http.get("/groups/scores/keys/Sam"))
            await source.asked.wait()
            leaving.reset()
        async with asking(gateway_url, "Jack") as gone:
            while "Jack" not in source.lookups:
                source.asked.clear()
                await source.asked.wait()
            gone.reset()
            await source.left.wait()  # who left later has been noticed, so the first has too
        source.gate.set()
        assert (await staying).json()["value"] == "630"
        assert (await after).status_code == 200
    assert source.cancelled == ["Jack"]
    assert source.lookups.count("Tom") == 1


async def test_a_request_that_was_hung_up_on_is_counted_as_499() -> None:
    begun = asyncio.Event()
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def receive() -> Message:
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await HangUp(app)({"type": "http", "path": "/p", "headers": []}, receive, send)
    assert sent[0]["status"] == 499
    assert json.loads(sent[1]["body"])["reason"] == "client-closed-request"
    assert json.loads(sent[1]["body"])["grpc_status"] == "CANCELLED"


async def test_a_body_reaches_its_reader_as_it_came_and_then_the_client_is_watched() -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b", "more_body": False},
        {"type": "http.disconnect"},
    ]
    got: list[Message] = []
    asked: list[int] = []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        asked.append(len(messages))
        got.extend([await receive(), await receive()])
        await asyncio.Event().wait()

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        """Take it."""

    scope = {"type": "http", "path": "/p", "headers": [(b"content-length", b"2")]}
    await HangUp(app)(scope, receive, send)
    assert [message["body"] for message in got] == [b"a", b"b"]
    assert asked == [3]  # nothing was read before somebody wanted it


async def test_an_app_that_asks_for_the_body_of_none_is_given_it() -> None:
    got: list[Message] = []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        got.append(await receive())

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        """Take it."""

    await HangUp(app)({"type": "http", "path": "/p", "headers": []}, receive, send)
    assert got == [{"type": "http.request", "body": b"", "more_body": False}]


@pytest.mark.parametrize("error", [ZeroDivisionError(), TimeoutError("of its own")])
async def test_an_app_that_fails_leaves_no_one_watching(error: Exception) -> None:
    watching = asyncio.Event()
    left = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await watching.wait()
        raise error

    async def receive() -> Message:
        watching.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(type(error)):
        await HangUp(app)({"type": "http", "path": "/p", "headers": []}, receive, send)
    await left.wait()
    assert sent == []


async def test_nothing_is_put_behind_the_beginning_of_an_answer() -> None:
    begun = asyncio.Event()
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        begun.set()
        await asyncio.Event().wait()

    async def receive() -> Message:
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await HangUp(app)({"type": "http", "path": "/p", "headers": []}, receive, send)
    assert [message["status"] for message in sent] == [200]

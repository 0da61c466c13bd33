"""What an app is told of a request, and what becomes of its answer or its failure."""

import asyncio
import logging

import pytest
from app_server import app_server
from raw_http import Connection, exchange
from starlette.types import Message, Receive, Scope, Send

HEAD = b" HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /p" + HEAD
EXPECT = POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
OK: Message = {**START, "headers": [(b"content-length", b"2")]}
BODY: Message = {"type": "http.response.body", "body": b"ok"}


class Echo:
    """An app that answers with a body as it came, in as many parts."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.messages: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send(START)
        more = True
        while more:
            message = await receive()
            self.messages.append(message)
            more = message.get("more_body", False)
            body = {"body": message["body"], "more_body": more}
            await send({"type": "http.response.body", **body})
        self.messages.append(await receive())


class Sends:
    """An app that sends these messages, and then fails if it should."""

    def __init__(self, *messages: Message, error: BaseException | None = None) -> None:
        self._messages = messages
        self._error = error

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        for message in self._messages:
            await send(message)
        if self._error is not None:
            raise self._error


async def reads_first(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the body once it is there."""
    message = await receive()
    await send(START)
    await send({"type": "http.response.body", "body": message["body"]})


async def test_an_app_is_told_what_was_asked_and_by_whom() -> None:
    echo = Echo()
    get = b"GET /a%20b/%2F?q=%20 HTTP/1.1\r\nHOST: x\r\nX-A: 1\r\nConnection: close\r\n\r\n"
    async with app_server(echo) as url, Connection(url) as connection:
        connection.send(get)
        await connection.until(None)
    (scope,) = echo.scopes
    assert (scope["type"], scope["method"], scope["scheme"]) == ("http", "GET", "http")
    assert (scope["path"], scope["raw_path"]) == ("/a b//", b"/a%20b/%2F")
    assert (scope["query_string"], scope["http_version"]) == (b"q=%20", "1.1")
    assert scope["headers"] == [(b"host", b"x"), (b"x-a", b"1"), (b"connection", b"close")]
    assert scope["client"][0] == "127.0.0.1"
    assert f"http://127.0.0.1:{scope['server'][1]}" == url


async def test_a_body_is_handed_on_as_it_comes_and_then_the_end_of_the_exchange() -> None:
    echo = Echo()
    async with app_server(echo) as url, Connection(url) as connection:
        connection.send(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        begin = await connection.until(b"2\r\nab\r\n")
        assert b"transfer-encoding: chunked" in begin
        connection.send(b"1\r\nc\r\n0\r\n\r\n")
        await connection.until(b"0\r\n\r\n")
    assert b"".join(message.get("body", b"") for message in echo.messages) == b"abc"
    assert echo.messages[-1] == {"type": "http.disconnect"}


async def test_a_client_that_waits_for_the_word_to_go_on_is_told_once_the_body_is_wanted() -> None:
    async with app_server(reads_first) as url, Connection(url) as connection:
        connection.send(EXPECT)
        assert await connection.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(b"abc")
        assert (await connection.until(b"abc\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_client_that_knows_no_such_word_is_not_told_it() -> None:
    async with app_server(reads_first) as url, Connection(url) as connection:
        connection.send(EXPECT.replace(b"1.1", b"1.0") + b"abc")
        assert (await connection.until(None)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_the_word_is_not_put_into_an_answer_that_has_begun() -> None:
    async with app_server(Echo()) as url, Connection(url) as connection:
        connection.send(EXPECT)
        await connection.until(b"\r\n\r\n")
        connection.send(b"abc")
        assert await connection.until(None) == b"3\r\nabc\r\n0\r\n\r\n"


async def test_what_comes_behind_a_body_that_nobody_wanted_is_no_request() -> None:
    async with app_server(Sends(OK, BODY)) as url, Connection(url) as connection:
        connection.send(EXPECT)
        reply = await connection.reply()
        assert reply is not None
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        connection.send(b"GET /smuggled" + HEAD + b"\r\n")
        assert await connection.replies() == []


async def test_a_client_that_sends_the_body_unasked_may_go_on() -> None:
    async with app_server(Sends(OK, BODY)) as url, Connection(url) as connection:
        connection.send(EXPECT + b"abc")
        reply = await connection.reply()
        assert reply is not None
        assert "connection" not in reply.headers
        connection.send(b"GET /" + HEAD + b"\r\n")
        assert await connection.reply() is not None


@pytest.mark.parametrize(
    "app",
    [
        Sends(error=ZeroDivisionError()),
        Sends(),
        Sends(BODY),
        Sends({**OK, "headers": [(b"a", b"b\r\nSet-Cookie: c")]}),
    ],
    ids=["fails", "nothing", "no start", "two lines"],
)
async def test_an_app_that_fails_before_its_answer_is_a_problem_and_a_line_in_the_log(
    app: Sends, caplog: pytest.LogCaptureFixture
) -> None:
    async with app_server(app) as url:
        (reply,) = await exchange(url, b"GET /p" + HEAD + b"Connection: close\r\n\r\n")
    assert (reply.status, reply.problem["reason"]) == (500, "internal")
    assert "set-cookie" not in reply.headers
    (record,) = caplog.records
    assert record.levelno == logging.ERROR


@pytest.mark.parametrize(
    "app",
    [
        Sends(OK, error=ZeroDivisionError()),
        Sends(OK),
        Sends(OK, OK),
        Sends(OK, {**BODY, "body": b"more than that"}),
        Sends(OK, {**BODY, "body": b"o"}),
    ],
    ids=["fails", "no body", "two starts", "long", "short"],
)
async def test_an_app_that_fails_within_its_answer_ends_the_connection(
    app: Sends, caplog: pytest.LogCaptureFixture
) -> None:
    async with app_server(app) as url, Connection(url) as connection:
        connection.send(b"GET /p" + HEAD + b"\r\n")
        said = await connection.until(None)
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert said.endswith(b"\r\n\r\n")  # nothing of what does not fit was sent
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("begun", [(), (OK,)], ids=["before", "within"])
async def test_an_app_that_is_cancelled_ends_the_connection(begun: tuple[Message, ...]) -> None:
    app = Sends(*begun, error=asyncio.CancelledError())
    async with app_server(app) as url, Connection(url) as connection:
        connection.send(b"GET /p" + HEAD + b"\r\n")
        assert (await connection.until(None)).endswith(b"\r\n\r\n" if begun else b"")


async def test_what_an_app_sends_behind_its_answer_is_logged_and_not_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with app_server(Sends(OK, BODY, BODY)) as url, Connection(url) as connection:
        for _ in range(2):
            connection.send(b"GET /p" + HEAD + b"\r\n")
            reply = await connection.reply()
            assert reply is not None
            assert reply.body == b"ok"
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


async def test_an_answer_in_many_parts_waits_for_its_reader() -> None:
    sent = 0
    is_whole = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(START)
        for _ in range(1_000):
            await send({"type": "http.response.body", "body": bytes(64_000), "more_body": True})
            sent += 1
        await send({"type": "http.response.body"})
        is_whole.set()

    async with app_server(app) as url, Connection(url) as connection:
        connection.send(b"GET /p" + HEAD + b"\r\n")
        await connection.until(b"\r\n\r\n")
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert sent < 500
        assert not is_whole.is_set()
        reading = asyncio.create_task(connection.until(None))
        await is_whole.wait()
        connection.writer.write_eof()
        assert (await reading).endswith(b"\r\n0\r\n\r\n")
    assert sent == 1_000

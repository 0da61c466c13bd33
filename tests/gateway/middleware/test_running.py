"""Requests that run are ended by a stop, and by nothing else."""

import asyncio
import gc
import json
import weakref

import pytest
from fakes import settled
from starlette.types import Message, Receive, Scope, Send

from gateway.middleware.running import Running

SCOPE: Scope = {"type": "http", "path": "/p", "raw_path": b"/p", "headers": []}
START: Message = {"type": "http.response.start", "status": 200, "headers": []}


class App:
    """An app that sends `messages`, then waits to be ended or fails with `error`."""

    def __init__(self, *messages: Message, error: Exception | None = None) -> None:
        self.messages = messages
        self.error = error
        self.sent: list[Message] = []

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        for message in self.messages:
            await send(message)
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()

    async def receive(self) -> Message:
        raise AssertionError

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def ended_by_a_stop(self) -> None:
        """Run it as a request, and stop once it waits."""
        running = Running(self)
        request = asyncio.create_task(running(SCOPE, self.receive, self.send))
        await settled()
        running.end()
        await request


async def test_a_request_without_an_answer_is_answered_503() -> None:
    app = App()
    await app.ended_by_a_stop()
    start, body = app.sent
    assert start["status"] == 503
    problem = json.loads(body["body"])
    assert (problem["detail"], problem["instance"]) == ("the gateway is draining", "/p")


async def test_an_answer_that_has_begun_is_cut_and_nothing_is_put_behind_it() -> None:
    app = App(START)
    await app.ended_by_a_stop()
    assert app.sent == [START]


async def test_an_apps_own_time_out_is_an_error_of_the_app() -> None:
    app = App(error=TimeoutError("of its own"))
    with pytest.raises(TimeoutError, match="of its own"):
        await Running(app)(SCOPE, app.receive, app.send)
    assert app.sent == []


class Request:
    """A request that runs elsewhere; it counts how often it was ended."""

    ended = 0

    def end(self) -> None:
        self.ended += 1


def test_what_has_finished_is_not_ended_and_is_let_go() -> None:
    running = Running(App())
    finished, other = Request(), Request()
    running.begin(finished)
    running.begin(other)
    running.finish(finished)
    running.finish(finished)
    running.end()
    assert (finished.ended, other.ended) == (0, 1)
    known = weakref.ref(finished)
    del finished
    assert known() is None


async def test_nothing_is_kept_of_a_request_that_the_app_has_answered() -> None:
    async def answering(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(START)

    app = App()
    running = Running(answering)
    request = asyncio.create_task(running(SCOPE, app.receive, app.send))
    known = weakref.ref(request)
    await request
    del request
    await settled()
    gc.collect()
    assert known() is None

"""Targets within the limit reach the app as they were sent; longer ones are refused."""

import json

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.middleware.raw_target import RawTarget

LIMIT = 100


async def sent(path: bytes, query: bytes = b"") -> tuple[list[str], list[Message]]:
    """Return the paths that reach the app, and what is answered without it."""
    reached: list[str] = []
    answered: list[Message] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        reached.append(scope["path"])

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        answered.append(message)

    scope = {"type": "http", "path": "/decoded", "raw_path": path, "query_string": query}
    await RawTarget(app, LIMIT)(scope, receive, send)
    return reached, answered


async def test_the_app_sees_the_path_as_it_was_sent() -> None:
    assert await sent(b"/a%2Fb/%FF", b"x=%20") == (["/a%2Fb/%FF"], [])


@pytest.mark.parametrize(
    ("path", "query"),
    [(b"/" * LIMIT, b""), (b"/" * 50, b"q" * 49), (b"/", b"q" * 98)],
)
async def test_the_limit_is_that_of_path_and_query_and_their_mark(
    path: bytes, query: bytes
) -> None:
    assert await sent(path, query) == ([path.decode()], [])
    reached, (start, _) = await sent(path + b"/", query)
    assert (reached, start["status"]) == ([], 414)


async def test_a_refused_target_is_not_repeated_whole() -> None:
    _, (_, body) = await sent(b"/" + b"k" * 10_000)
    problem = json.loads(body["body"])
    assert problem["instance"] == "/" + "k" * 63 + "…"
    assert problem["detail"] == "the target has 10001 bytes, the limit is 100"

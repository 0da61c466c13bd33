import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sources.http_origin import HOST, Asked, HttpOrigin, always, by_target, response

from cache_core import RetrieverFailed, SourceUnavailable, Value
from cache_core.sources.http.retriever import UNUSED_KEY, HttpRetriever
from cache_core.sources.http.settings import HttpSource
from cache_core.trace import Trace, current_trace

Open = Callable[..., HttpRetriever]
GOOD = response(200, b"630")


@pytest.fixture
async def origin() -> AsyncIterator[HttpOrigin]:
    async with HttpOrigin(always(GOOD)).up() as serving:
        yield serving


@pytest.fixture
async def opened(origin: HttpOrigin) -> AsyncIterator[Open]:
    """Make retrievers of the origin's `/users/KEY`, closed after the test."""
    async with contextlib.AsyncExitStack() as closing:

        def make(target: str = "/users/{key}", **settings: object) -> HttpRetriever:
            url = f"http://{HOST}:{origin.port}{target}"
            given = {"url": url, "allow_private": True, **settings}
            retriever = HttpRetriever(HttpSource.model_validate(given), folder=Path())
            closing.push_async_callback(retriever.aclose)
            return retriever

        yield make


def streamed(status: int, *lines: str) -> bytes:
    """Return the head of an answer in chunks."""
    head = [f"HTTP/1.1 {status} Status", "Transfer-Encoding: chunked", *lines, "", ""]
    return "\r\n".join(head).encode()


async def test_a_key_arrives_in_its_segment(origin: HttpOrigin, opened: Open) -> None:
    retriever = opened("/users/{key}/score?of={key}")
    for key in ["a/../b", "..", "."]:
        assert await retriever.retrieve(key) is None
    assert origin.asked == []
    for key in ["a/b", "?x=1", "#", "%2e%2e", "\r\nX: y", "\0", "\\", "é", "{key}"]:
        assert await retriever.retrieve(key) == Value(b"630")
    assert [asked.target for asked in origin.asked] == [
        "/users/a%2Fb/score?of=a%2Fb",
        "/users/%3Fx%3D1/score?of=%3Fx%3D1",
        "/users/%23/score?of=%23",
        "/users/%252e%252e/score?of=%252e%252e",
        "/users/%0D%0AX%3A%20y/score?of=%0D%0AX%3A%20y",
        "/users/%00/score?of=%00",
        "/users/%5C/score?of=%5C",
        "/users/%C3%A9/score?of=%C3%A9",
        "/users/%7Bkey%7D/score?of=%7Bkey%7D",
    ]


async def test_headers_credentials_and_trace_are_sent(origin: HttpOrigin, opened: Open) -> None:
    basic = opened(username="tom", password="pässword", headers={"X-Tenant": "7"})
    bearer = opened(token="t0ken", headers={"user-agent": "me"})
    token = current_trace.set(Trace("00-1-2-01", "a=b"))
    await basic.retrieve("Tom")
    current_trace.reset(token)
    await bearer.retrieve("Tom")
    first, second = (asked.headers for asked in origin.asked)
    assert first == {
        "host": f"{HOST}:{origin.port}",
        "accept": "*/*",
        "user-agent": "gaocache",
        "accept-encoding": "gzip",
        "authorization": "Basic dG9tOnDDpHNzd29yZA==",
        "x-tenant": "7",
        "traceparent": "00-1-2-01",
        "tracestate": "a=b",
    }
    assert (second["authorization"], second["user-agent"]) == ("Bearer t0ken", "me")
    assert "traceparent" not in second


async def test_a_compressed_answer_is_decoded(origin: HttpOrigin, opened: Open) -> None:
    origin.handler = always(response(200, gzip.compress(b"630"), "Content-Encoding: gzip"))
    assert await opened().retrieve("Tom") == Value(b"630")


async def test_an_answer_past_the_cap_is_no_longer_read(origin: HttpOrigin, opened: Open) -> None:
    async def endless(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(streamed(200))
        while True:
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()

    origin.handler = endless
    retriever = opened(max_bytes="4KiB")
    with pytest.raises(RetrieverFailed, match="larger than max_bytes, 4096"):
        await retriever.retrieve("Tom")
    origin.handler = always(response(200, b"x" * 4096))
    assert await retriever.retrieve("Tom") == Value(b"x" * 4096)


async def test_redirects_within_the_origin_are_followed(origin: HttpOrigin, opened: Open) -> None:
    here = f"Location: http://{HOST}:{origin.port}/people/Tom"
    origin.handler = by_target(
        {
            "/users/Tom": response(301, b"moved", here),
            "/people/Tom": response(307, b"", "Location: 1?x=y"),
            "/people/1?x=y": GOOD,
        }
    )
    assert await opened(token="t0ken").retrieve("Tom") == Value(b"630")
    assert {asked.headers["authorization"] for asked in origin.asked} == {"Bearer t0ken"}


async def test_a_redirect_elsewhere_is_not_followed(origin: HttpOrigin, opened: Open) -> None:
    async with HttpOrigin(always(GOOD)).up() as other:
        there = f"Location: http://{HOST}:{other.port}/users/Tom?pass=hunter2"
        origin.handler = always(response(302, b"", there))
        with pytest.raises(RetrieverFailed, match=r"redirects \(302\) to another") as failed:
            await opened().retrieve("Tom")
        assert other.asked == []
    assert "hunter2" not in str(failed.value)


async def test_redirects_come_to_an_end(origin: HttpOrigin, opened: Open) -> None:
    origin.handler = always(response(302, b"", "Location: /again"))
    with pytest.raises(RetrieverFailed, match="redirects more than 5 times"):
        await opened().retrieve("Tom")
    assert len(origin.asked) == 6


@pytest.mark.parametrize("status", [404, 410, 403, 500, 503])
async def test_a_connection_outlives_an_answer_without_a_value(
    origin: HttpOrigin, opened: Open, status: int
) -> None:
    retriever = opened()
    origin.handler = by_target({"/users/Jack": response(status, b"no" * 1000), "/users/Tom": GOOD})
    with contextlib.suppress(RetrieverFailed):
        await retriever.retrieve("Jack")
    assert await retriever.retrieve("Tom") == Value(b"630")
    assert [asked.connection for asked in origin.asked] == [1, 1]


async def test_an_error_with_a_long_text_is_not_read_to_its_end(
    origin: HttpOrigin, opened: Open
) -> None:
    origin.handler = always(response(500, b"no" * 100_000))
    retriever = opened()
    with pytest.raises(SourceUnavailable, match="500"):
        await retriever.retrieve("Tom")
    origin.handler = always(GOOD)
    assert await retriever.retrieve("Tom") == Value(b"630")
    assert [asked.connection for asked in origin.asked] == [1, 2]


async def test_a_kept_connection_that_ended_is_replaced(origin: HttpOrigin, opened: Open) -> None:
    retriever = opened()
    assert await retriever.retrieve("Tom") == Value(b"630")

    async def hang_up_once(_: Asked, writer: asyncio.StreamWriter) -> None:
        origin.handler = always(GOOD)
        writer.transport.abort()

    origin.handler = hang_up_once
    assert await retriever.retrieve("Tom") == Value(b"630")
    assert [asked.connection for asked in origin.asked] == [1, 1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n630",
        streamed(200) + b"3\r\n630\r\n",
        streamed(200) + b"nonsense\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
async def test_an_answer_that_is_cut_off_is_none(
    origin: HttpOrigin, opened: Open, answer: bytes
) -> None:
    async def cut_off(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    origin.handler = cut_off
    retriever = opened()
    with pytest.raises(SourceUnavailable, match="broke the connection off"):
        await retriever.retrieve("Tom")
    origin.handler = always(GOOD)
    assert await retriever.retrieve("Tom") == Value(b"630")


async def test_a_status_counts_though_its_text_is_cut_off(origin: HttpOrigin, opened: Open) -> None:
    async def cut_off(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nno")
        await writer.drain()
        writer.close()

    origin.handler = cut_off
    assert await opened().retrieve("Tom") is None
    assert len(origin.asked) == 1


async def test_no_cookie_is_kept(origin: HttpOrigin, opened: Open) -> None:
    origin.handler = always(response(200, b"630", "Set-Cookie: session=hunter2; Path=/"))
    retriever = opened()
    await retriever.retrieve("Tom")
    await retriever.retrieve("Tom")
    assert "cookie" not in origin.asked[1].headers


async def test_what_has_not_changed_is_not_sent_again(origin: HttpOrigin, opened: Open) -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        headers = 'ETag: "1"', "Cache-Control: max-age=60", "Age: 10"
        unchanged = asked.headers.get("if-none-match") == '"1"'
        writer.write(response(304 if unchanged else 200, b"" if unchanged else b"630", *headers))

    origin.handler = answer
    retriever = opened(cache_control=True)
    loaded = await retriever.retrieve("Tom")
    assert loaded == Value(b"630", ttl=50.0, age=10.0, version='"1"')
    held = loaded._replace(ttl=-1.0, age=61.0)
    assert await retriever.refresh("Tom", held) == loaded
    assert await retriever.refresh("Tom", held._replace(version='"0"')) == loaded
    assert await retriever.refresh("Tom", held._replace(version="")) == loaded
    matches = [asked.headers.get("if-none-match") for asked in origin.asked]
    assert matches == [None, '"1"', '"0"', None]


async def test_a_304_that_was_not_asked_for_is_no_value(origin: HttpOrigin, opened: Open) -> None:
    origin.handler = always(response(304))
    with pytest.raises(RetrieverFailed, match="the source answers 304"):
        await opened().retrieve("Tom")


async def test_a_source_that_says_nothing_is_unavailable(origin: HttpOrigin, opened: Open) -> None:
    origin.freeze()
    async with asyncio.timeout(3):
        with pytest.raises(SourceUnavailable, match="gave no answer in time"):
            await opened(read_timeout="50ms").retrieve("Tom")
    await asyncio.wait_for(origin.left.wait(), 5)


async def test_more_calls_than_connections_wait_for_one(origin: HttpOrigin, opened: Open) -> None:
    retriever = opened(pool_size=2)
    answers = await asyncio.gather(*(retriever.retrieve(f"{n}") for n in range(20)))
    assert answers == [Value(b"630")] * 20
    assert origin.connections == 2


async def test_a_cancelled_call_ends_at_the_source(origin: HttpOrigin, opened: Open) -> None:
    origin.freeze()
    asking = asyncio.create_task(opened().retrieve("Tom"))
    await asyncio.wait_for(origin.arrived.wait(), 5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(origin.left.wait(), 5)


@pytest.mark.parametrize("turns", [*range(1, 30), 50, 100])
async def test_cancelled_calls_leave_all_connections_free(opened: Open, turns: int) -> None:
    retriever = opened(pool_size=3, read_timeout=5)
    asking = [asyncio.create_task(retriever.retrieve(f"{n}")) for n in range(12)]
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in asking:
        task.cancel()
    await asyncio.sleep(0)
    for task in asking:
        task.cancel()  # a second one, as of a deadline that ends just then
    await asyncio.gather(*asking, return_exceptions=True)
    answers = await asyncio.gather(*(retriever.retrieve(f"{n}") for n in range(3)))
    assert answers == [Value(b"630")] * 3


async def test_a_check_asks_for_a_key_that_nobody_has(origin: HttpOrigin, opened: Open) -> None:
    for status in [200, 404, 400, 422]:
        origin.handler = always(response(status))
        await opened().check()
    assert {asked.target for asked in origin.asked} == {f"/users/{UNUSED_KEY}"}

"""Connections to an API: what they wait for, what they pass on, and when they end."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path

import pytest
from sources.http_origin import HOST, Asked, HttpOrigin, always, response

from cache_core import RetrieverFailed, SourceUnavailable, Value
from cache_core.sources.http.retriever import HttpRetriever
from cache_core.sources.http.settings import HttpSource

GOOD = response(200, b"630")


@pytest.fixture
async def origin() -> AsyncIterator[HttpOrigin]:
    async with HttpOrigin(always(GOOD)).up() as serving:
        yield serving


def opened(origin: HttpOrigin, **settings: object) -> contextlib.aclosing[HttpRetriever]:
    url = f"http://{HOST}:{origin.port}/users/{{key}}"
    source = HttpSource.model_validate({"url": url, "allow_private": True, **settings})
    return contextlib.aclosing(HttpRetriever(source, folder=Path()))


async def test_connections_end_with_the_retriever(origin: HttpOrigin) -> None:
    async with opened(origin) as retriever:
        await retriever.retrieve("Tom")
        assert not origin.ended.is_set()
    await asyncio.wait_for(origin.ended.wait(), 5)


async def test_a_call_that_gets_no_connection_in_time_is_unavailable(origin: HttpOrigin) -> None:
    dripping = asyncio.Event()

    async def drip(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        dripping.set()
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    origin.handler = drip
    async with opened(origin, pool_size=1, read_timeout="500ms") as retriever:
        taking = asyncio.create_task(_retrieve(retriever))
        await asyncio.wait_for(dripping.wait(), 5)
        async with asyncio.timeout(5):
            with pytest.raises(SourceUnavailable, match="connections to the source are all in use"):
                await retriever.retrieve("Jack")
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


async def _retrieve(retriever: HttpRetriever) -> object:
    return await retriever.retrieve("Tom")


async def test_a_status_counts_though_its_text_never_comes(origin: HttpOrigin) -> None:
    origin.handler = always(b"HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nno")
    async with opened(origin, read_timeout="200ms") as retriever:
        assert await retriever.retrieve("Tom") is None


async def test_a_header_may_have_several_lines(origin: HttpOrigin) -> None:
    lines = "Cache-Control: private", "Cache-Control: max-age=60"
    origin.handler = always(response(200, b"630", *lines))
    async with opened(origin, cache_control=True) as retriever:
        assert await retriever.retrieve("Tom") == Value(b"630", ttl=0.0)


async def test_an_expiry_without_a_date_counts_from_now(origin: HttpOrigin) -> None:
    expires = f"Expires: {formatdate(time.time() + 3600, usegmt=True)}"
    origin.handler = always(response(200, b"630", expires))
    async with opened(origin, cache_control=True) as retriever:
        got = await retriever.retrieve("Tom")
    assert isinstance(got, Value)
    assert got.ttl is not None
    assert 3500 < got.ttl <= 3600


async def test_a_304_renews_no_value_whose_version_was_not_asked_about(
    origin: HttpOrigin,
) -> None:
    origin.handler = always(response(304))
    async with opened(origin) as retriever:
        with pytest.raises(RetrieverFailed, match="the source answers 304"):
            await retriever.refresh("Tom", Value(b"630", version="of another source"))


async def test_a_redirect_that_says_nowhere_to_is_a_failure_like_another_status(
    origin: HttpOrigin,
) -> None:
    origin.handler = always(response(302))
    async with opened(origin) as retriever:
        with pytest.raises(RetrieverFailed, match="the source answers 302"):
            await retriever.retrieve("Tom")

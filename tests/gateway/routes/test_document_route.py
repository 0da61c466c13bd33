"""`/openapi.json`: made once, and not in the event loop."""

import asyncio
import threading

import httpx
import pytest
from fastapi import FastAPI

from cache_core import Client
from gateway.app import create_app


@pytest.fixture
def app(client: Client) -> FastAPI:
    return create_app(client)


async def test_the_document_is_made_in_a_thread_and_once(app: FastAPI) -> None:
    threads = list[threading.Thread]()
    truly = app.openapi

    def openapi() -> dict[str, object]:
        threads.append(threading.current_thread())
        return truly()

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        first = await http.get("/openapi.json")
        others = await asyncio.gather(*(http.get("/openapi.json") for _ in range(5)))
    assert first.json()["info"]["title"] == "GaoCache"
    assert first.headers["content-type"] == "application/json"
    assert {other.content for other in others} == {first.content}
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()

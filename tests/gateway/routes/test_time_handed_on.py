"""The time that a request may take, as each of a client's calls is told of it."""

import asyncio
from typing import NoReturn

import httpx
import pytest

from cache_core import Client, Demand, Value
from cache_core.client.failover import Failed
from cache_core.client.pending import PendingGet
from cache_core.errors import CacheError, DeadlineExceeded
from cache_core.messages import NodeInfo
from cache_core.value import Then
from gateway.app import create_app
from gateway.http.limits import Limits

LIMITS = Limits(timeout=5, max_timeout=7)


async def no_others(_pending: PendingGet, _failed: Failed | None) -> Value:
    """Ask nobody."""
    raise AssertionError


class LateClient(Client):
    """Notes how long each call may take, and answers none in time."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float | None] = []

    async def get(
        self, *_: str, demand: Demand = Demand.ANY, timeout: float | None = None
    ) -> Value:
        assert demand is Demand.ANY
        self._give_up(timeout)

    async def remove(self, *_: str, timeout: float | None = None) -> tuple[str, ...]:
        self._give_up(timeout)

    async def flush(self, *_: str, timeout: float | None = None) -> tuple[str, ...]:
        self._give_up(timeout)

    async def describe(self, *, timeout: float | None = None) -> dict[str, NodeInfo | CacheError]:
        self._give_up(timeout)

    async def reach(self, *, timeout: float | None = None) -> None:
        self._give_up(timeout)

    def ask(self, *_: str, demand: Demand = Demand.ANY, deadline: float, then: Then) -> PendingGet:
        assert demand is Demand.ANY
        self.times.append(deadline - asyncio.get_running_loop().time())
        then(DeadlineExceeded("too late"))
        return PendingGet(no_others, "", "", demand, deadline, then)

    def _give_up(self, timeout: float | None) -> NoReturn:
        self.times.append(timeout)
        raise DeadlineExceeded("too late")


def asking(client: Client) -> httpx.AsyncClient:
    """A client of a gateway that asks by `client`."""
    transport = httpx.ASGITransport(create_app(client, limits=LIMITS))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


async def test_a_call_may_take_as_long_as_its_request() -> None:
    client = LateClient()
    async with asking(client) as http:
        for method, path in (
            ("GET", "/groups/scores/keys/Tom"),
            ("HEAD", "/groups/scores/keys?key=Tom"),
            ("DELETE", "/groups/scores/keys/Tom"),
            ("DELETE", "/groups/scores/keys?key=Tom"),
            ("DELETE", "/groups/scores/keys"),
            ("GET", "/groups"),
            ("GET", "/groups/scores"),
            ("GET", "/cluster"),
        ):
            client.times.clear()
            for headers in ({}, {"X-Request-Timeout": "0.5"}, {"grpc-timeout": "60S"}):
                response = await http.request(method, path, headers=headers)
                assert response.status_code == 504, (method, path)
            assert client.times == [5, 0.5, 7], (method, path)


async def test_each_key_of_a_batch_may_take_as_long_as_the_request() -> None:
    client = LateClient()
    path = "/groups/scores/keys?key=a&key=b"
    async with asking(client) as http:
        response = await http.get(path, headers={"X-Request-Timeout": "0.5"})
    assert [item["problem"]["status"] for item in response.json()["items"]] == [504, 504]
    assert client.times == pytest.approx([0.5, 0.5], abs=0.2)


async def test_who_asks_whether_it_is_ready_hears_before_a_probe_gives_up() -> None:
    client = LateClient()
    async with asking(client) as http:
        assert (await http.get("/readyz")).status_code == 504
    (patience,) = client.times
    assert patience is not None
    assert patience < 1


async def test_the_page_is_shown_though_no_member_is_known() -> None:
    async with asking(LateClient()) as http:
        response = await http.get("/", headers={"Accept": "text/html"})
    assert (response.status_code, response.headers["content-type"]) == (
        200,
        "text/html; charset=utf-8",
    )

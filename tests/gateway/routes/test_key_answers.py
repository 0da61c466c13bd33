"""What a key's answer says beyond its value, over real sockets, a real node behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

import httpx
import pytest
from fakes import ALL_BYTES, FakeClock, FakeSource
from processes import GatewayAt
from task_peer import TaskPeer

from cache_core import Client, Group, GroupSettings, Node, NotFound, Terms, Value
from cache_core.cluster.peer import A, Ask
from cache_core.errors import CacheError
from cache_core.events import Event, Miss
from cache_core.messages import Message, Probe, Probed
from cache_core.value import Answer
from gateway.app import create_app

TOM = "/groups/scores/keys/Tom"
RAW = {"alt": "media"}

shared = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def collapsed() -> asyncio.Event:
    """Set once a get waits for another's load."""
    return asyncio.Event()


@pytest.fixture
async def aging(
    source: FakeSource, clock: FakeClock, gateway_at: GatewayAt, collapsed: asyncio.Event
) -> AsyncIterator[httpx.AsyncClient]:
    """In front of a node whose group has a TTL of a minute, by `clock`."""
    settings = GroupSettings(ttl=60, jitter=0, stale_while_revalidate=30, stale_if_error=90)

    def watch(event: Event) -> None:
        if isinstance(event, Miss) and event.answer is Answer.COLLAPSED:
            collapsed.set()

    group = Group("scores", source, settings, clock=clock)
    async with Node("127.0.0.1:0", [group], hook=watch) as node:
        url = await gateway_at(node.address)
        async with httpx.AsyncClient(
            base_url=url, trust_env=False, verify=False, timeout=10
        ) as client:
            yield client


class OneAnswer(TaskPeer):
    """A Peer that answers every get with `outcome`."""

    def __init__(self, outcome: Value | CacheError) -> None:
        self._outcome = outcome

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:  # noqa: ARG002
        for ask in asks:
            ask.settle(self._outcome)

    async def send(self, message: Message[A], *, timeout: float) -> A:  # noqa: ARG002
        assert isinstance(message, Probe)
        return cast("A", Probed(draining=False, ring=0))

    async def aclose(self) -> None:
        """Nothing is to be ended."""


@pytest.fixture
async def answering() -> AsyncIterator[Callable[[Value | CacheError], httpx.AsyncClient]]:
    """A gateway in front of a node that answers with a certain outcome."""
    opened: list[Client] = []

    def start(outcome: Value | CacheError) -> httpx.AsyncClient:
        client = Client("127.0.0.1:8080", connect=lambda _: OneAnswer(outcome))
        opened.append(client)
        transport = httpx.ASGITransport(create_app(client))
        return httpx.AsyncClient(transport=transport, base_url="http://gateway")

    yield start
    for client in opened:
        await client.aclose()


@shared
async def test_a_copy_that_is_still_right_is_304(shared_http: httpx.AsyncClient) -> None:
    first = await shared_http.get(TOM)
    again = await shared_http.get(TOM, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert "content-type" not in again.headers
    assert "content-length" not in again.headers
    for name in ("etag", "vary", "cache-control", "content-security-policy"):
        assert again.headers[name] == first.headers[name]


@shared
async def test_a_failed_precondition_is_a_problem(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.get(TOM, headers={"If-Match": '"x"'})
    assert response.status_code == 412
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["reason"] == "precondition-failed"
    assert response.json()["grpc_status"] == "FAILED_PRECONDITION"


@shared
async def test_a_range_of_the_raw_form_is_206(shared_http: httpx.AsyncClient) -> None:
    headers = {"Range": "bytes=10-19"}
    response = await shared_http.get("/groups/scores/keys/binary", params=RAW, headers=headers)
    assert response.status_code == 206
    assert response.content == ALL_BYTES[10:20]
    assert response.headers["content-range"] == "bytes 10-19/256"
    assert response.headers["content-length"] == "10"


@shared
async def test_a_range_past_the_end_is_a_problem_with_the_size(
    shared_http: httpx.AsyncClient,
) -> None:
    response = await shared_http.get(TOM, params=RAW, headers={"Range": "bytes=3-"})
    assert response.status_code == 416
    assert response.headers["content-range"] == "bytes */3"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["reason"] == "range-not-satisfiable"
    assert response.json()["grpc_status"] == "OUT_OF_RANGE"


@shared
@pytest.mark.parametrize("size", [2_000, 2_000_000], ids=["on the loop", "in a thread"])
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_large_text_is_compressed(
    shared_http: httpx.AsyncClient, shared_source: FakeSource, size: int, coding: str
) -> None:
    key = f"large{size}"
    shared_source.values[key] = b"x" * size
    path = f"/groups/scores/keys/{key}"
    plain = await shared_http.get(
        path, headers={"Accept": "text/plain", "Accept-Encoding": "identity"}
    )
    assert "content-encoding" not in plain.headers
    assert plain.content == shared_source.values[key]
    headers = {"Accept": "text/plain", "Accept-Encoding": coding}
    async with shared_http.stream("GET", path, headers=headers) as coded:
        sent = b"".join([chunk async for chunk in coded.aiter_raw()])
    assert coded.headers["content-encoding"] == coding
    assert int(coded.headers["content-length"]) == len(sent) < size
    assert coded.headers["etag"] != plain.headers["etag"]
    assert coded.headers["vary"] == "Accept, Accept-Encoding"


@shared
@pytest.mark.parametrize(
    ("target", "headers"),
    [
        (TOM, {}),
        (f"{TOM}?alt=media", {"Range": "bytes=0-1"}),
        ("/groups/scores/keys?key=Tom", {}),
        ("/groups/scores/keys/NotExist", {}),
        ("/groups/scores/keys/", {}),
        ("/groups/scores/keys/Tom?alt=xml", {}),
        (TOM, {"Accept": "image/webp"}),
        (TOM, {"If-Match": '"x"'}),
    ],
)
async def test_a_head_has_the_headers_of_the_get_and_no_body(
    shared_http: httpx.AsyncClient, target: str, headers: dict[str, str]
) -> None:
    await shared_http.get(target)
    without_range = {name: value for name, value in headers.items() if name != "Range"}
    whole = await shared_http.get(target, headers=without_range)
    head = await shared_http.head(target, headers=headers)
    assert head.status_code == whole.status_code
    assert head.content == b""
    volatile = {"date", "age"}
    assert {name: value for name, value in head.headers.items() if name not in volatile} == {
        name: value for name, value in whole.headers.items() if name not in volatile
    }
    assert head.headers["content-length"] == str(len(whole.content))


async def test_a_value_may_be_kept_for_what_is_left(
    aging: httpx.AsyncClient, clock: FakeClock
) -> None:
    first = await aging.get(TOM)
    assert first.headers["cache-control"].startswith("max-age=60")
    assert first.headers["age"] == "0"
    assert first.headers["cache-status"].endswith('"; fwd=miss; stored')
    clock.tick(22.5)
    second = await aging.get(TOM)
    assert second.headers["cache-control"].startswith("max-age=59")  # of which 22 have passed
    assert second.headers["age"] == "22"
    assert second.headers["cache-status"].endswith('"; hit; ttl=37')
    assert second.headers["etag"] == first.headers["etag"]


async def test_a_stale_value_says_so(
    aging: httpx.AsyncClient, clock: FakeClock, source: FakeSource
) -> None:
    await aging.get(TOM)
    clock.tick(70)
    source.gate.clear()
    response = await aging.get(TOM)
    source.gate.set()
    assert response.status_code == 200
    assert response.headers["age"] == "70"
    assert response.headers["cache-control"].startswith("max-age=60")
    assert response.headers["cache-status"].endswith('"; fwd=stale; ttl=-10')


async def test_a_value_answered_since_the_source_fails_says_so(
    aging: httpx.AsyncClient, clock: FakeClock, source: FakeSource
) -> None:
    await aging.get(TOM)
    clock.tick(100)
    source.error = ConnectionError()
    response = await aging.get(TOM)
    assert response.status_code == 200
    assert response.headers["cache-status"].endswith('"; fwd=stale; ttl=-40')


async def test_a_shared_load_is_collapsed(
    aging: httpx.AsyncClient, source: FakeSource, collapsed: asyncio.Event
) -> None:
    source.gate.clear()
    first = asyncio.create_task(aging.get(TOM))
    await source.asked.wait()
    second = asyncio.create_task(aging.get(TOM))
    await collapsed.wait()
    source.gate.set()
    assert (await first).headers["cache-status"].endswith("fwd=miss; stored")
    assert (await second).headers["cache-status"].endswith("fwd=miss; stored; collapsed")


async def test_a_group_without_a_ttl_has_its_values_asked_for_anew(
    http: httpx.AsyncClient, node: Node
) -> None:
    await http.get(TOM)
    headers = (await http.get(TOM)).headers
    assert headers["cache-control"] == "no-cache"
    assert headers["cache-status"] == f'"{node.address}"; hit'


@shared
async def test_an_authenticated_answer_is_private(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.get(TOM, headers={"Authorization": "Bearer x"})
    assert response.headers["cache-control"] == "private, no-cache"


async def test_what_the_group_says_of_its_values_is_passed_on(
    answering: Callable[[Value | CacheError], httpx.AsyncClient],
) -> None:
    value = Value(b"\x89PNG", 37, 23, Answer.HIT, "n:1", Terms(30, 600, "image/png"))
    async with answering(value) as http:
        response = await http.get(TOM, headers={"Accept": "image/*"})
    assert response.content == b"\x89PNG"
    assert response.headers["content-type"] == "image/png"
    assert "content-disposition" not in response.headers
    assert response.headers["content-security-policy"] == "sandbox"
    expected = "max-age=60, stale-while-revalidate=30, stale-if-error=600"
    assert response.headers["cache-control"] == expected


async def test_a_group_of_json_embeds_its_documents(
    answering: Callable[[Value | CacheError], httpx.AsyncClient],
) -> None:
    value = Value(b'{"score": 630}', terms=Terms(content_type="application/json"))
    async with answering(value) as http:
        body = (await http.get(TOM)).json()
    assert body == {
        "group": "scores",
        "key": "Tom",
        "value": {"score": 630},
        "encoding": "json",
    }


@pytest.mark.parametrize(
    ("ttl", "headers", "cache_control"),
    [
        (None, {}, "no-store"),
        (9.5, {}, "max-age=9"),
        (9.5, {"Authorization": "Bearer x"}, "private, max-age=9"),
    ],
)
async def test_a_missing_key_may_be_kept_where_the_node_remembers_it(
    answering: Callable[[Value | CacheError], httpx.AsyncClient],
    ttl: float | None,
    headers: dict[str, str],
    cache_control: str,
) -> None:
    async with answering(NotFound("Tom not exist", ttl=ttl)) as http:
        response = await http.get(TOM, headers=headers)
    assert response.status_code == 404
    assert response.headers["cache-control"] == cache_control

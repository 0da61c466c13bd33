"""Whatever the OpenAPI document gives as an answer is what a real gateway answers."""

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio
from clusters import cluster_of, peers_of
from documented_answers import NODE, PROBLEM, Documented, answers
from fakes import FakeSource, scores_source
from processes import GatewayAt
from served_gateway import serve_gateway

from cache_core import Client, Group, GroupSettings, Node
from cache_core.cluster.member import Member
from cache_core.membership.membership import Membership
from gateway.app import create_app
from gateway.http.form.representation import JSON
from gateway.http.limits import Limits

OF_EVERY_MESSAGE = {"content-length", "content-type", "date"}

OF_OTHER_CLUSTERS = (202, 429, 504)
"""What a node on its own that serves or has stopped does not bring about."""


def of_status(status: int) -> list[Documented]:
    return [answer for answer in answers() if answer.status == status]


def of_a_busy_gateway() -> list[Documented]:
    return [a for a in of_status(503) if a.example["reason"] == "gateway-busy"]


def of_one_node() -> list[Documented]:
    others = (*(a for a in of_status(503) if a.path == "/cluster"), *of_a_busy_gateway())
    return [a for a in answers() if a.status not in OF_OTHER_CLUSTERS and a not in others]


def has_figures(answer: Documented) -> bool:
    return answer.status == 200 and answer.operation["tags"][0] in ("groups", "cluster")


def is_of_a_changed_node(answer: Documented) -> bool:
    """Tell whether no request brings the answer about."""
    return answer.status in (500, 503)


class Unknown:
    """A Membership that never tells of any member."""

    async def join(self, member: Member) -> None:
        """Make nothing known."""

    async def leave(self) -> None:
        """Take nothing back."""

    async def watch(self) -> AsyncIterator[frozenset[Member]]:
        """Yield nothing, for ever."""
        await asyncio.Event().wait()
        yield frozenset()


class Served(NamedTuple):
    """A node and the URL of a gateway in front of it."""

    node: Node
    source: FakeSource
    url: str


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[Served]:
    """A gateway without copies of its own: the documented figures are of a node that is asked."""
    source = scores_source()
    source.values["large"] = b"x" * 5_000_000
    async with (
        Node("127.0.0.1:0", [Group("scores", source)], grace=5) as node,
        serve_gateway(node.address, near_cache=0) as url,
    ):
        yield Served(node, source, url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting() -> AsyncIterator[Served]:
    """What all tests share that change nothing but what a group holds."""
    async with served() as one:
        yield one


@pytest.fixture
async def new() -> AsyncIterator[Served]:
    async with served() as one:
        yield one


def asking(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=20)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of what takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield f"127.0.0.1:{sock.getsockname()[1]}"


@contextlib.asynccontextmanager
async def impatient(nodes: str | Membership) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway that soon gives `nodes` up, in this process."""
    async with Client(nodes) as client:
        transport = httpx.ASGITransport(create_app(client, limits=Limits(timeout=0.1)))
        async with httpx.AsyncClient(base_url="http://x", transport=transport) as http:
            yield http


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "answer",
    [a for a in of_one_node() if not has_figures(a) and not is_of_a_changed_node(a)],
    ids=str,
)
async def test_a_documented_answer_is_given(answer: Documented, lasting: Served) -> None:
    assert await lasting.node.flush("scores") == ()
    async with asking(lasting.url) as http:
        response = await http.send(answer.request(http))
    assert_is(answer, response, {lasting.node.address: NODE})


@pytest.mark.parametrize("answer", [a for a in of_one_node() if has_figures(a)], ids=str)
async def test_documented_figures_are_given(answer: Documented, new: Served) -> None:
    async with asking(new.url) as http:
        for _ in range(4):  # the figures that are documented
            await http.get("/groups/scores/keys/Tom")
        response = await http.send(answer.request(http))
    assert_is(answer, response, {new.node.address: NODE})


@pytest.mark.parametrize("answer", [a for a in of_one_node() if is_of_a_changed_node(a)], ids=str)
async def test_a_documented_failure_is_answered(answer: Documented, new: Served) -> None:
    if answer.status == 500:
        new.source.error = RuntimeError("the source's own words")
    else:
        await new.node.stop(drain=False)
    async with asking(new.url) as http:
        response = await http.send(answer.request(http))
    assert_is(answer, response, {new.node.address: NODE})


@pytest.mark.parametrize("answer", of_status(429), ids=str)
async def test_a_documented_overload_is_answered(
    answer: Documented, source: FakeSource, gateway_at: GatewayAt
) -> None:
    settings = GroupSettings(load_queue=0)
    group = Group("scores", source, settings)
    source.gate.clear()
    async with Node("127.0.0.1:0", [group], grace=5) as node:
        busy = [asyncio.create_task(group.get(f"{n}")) for n in range(settings.load_concurrency)]
        await source.asked.wait()
        url = await gateway_at(node.address)
        async with asking(url) as http:
            response = await http.send(answer.request(http))
        source.gate.set()
        await asyncio.gather(*busy, return_exceptions=True)
    assert_is(answer, response, {node.address: NODE})


@pytest.mark.parametrize("answer", of_status(504), ids=str)
async def test_a_documented_timeout_is_answered(answer: Documented, silent: str) -> None:
    async with impatient(silent) as http:
        response = await http.send(answer.request(http))
    assert_is(answer, response, {silent: NODE})


@pytest.mark.parametrize("answer", [a for a in of_status(503) if a.path == "/cluster"], ids=str)
async def test_a_documented_lack_of_members_is_answered(answer: Documented) -> None:
    async with impatient(Unknown()) as http:
        response = await http.send(answer.request(http))
    assert_is(answer, response, {})


@pytest.mark.parametrize("answer", of_a_busy_gateway(), ids=str)
async def test_a_documented_want_of_memory_is_answered(
    answer: Documented, node: Node, gateway_at: GatewayAt
) -> None:
    url = await gateway_at(node.address, limits=Limits(request_memory=1))
    async with asking(url) as http:
        response = await http.send(answer.request(http))
    assert_is(answer, response, {})


@pytest.mark.parametrize("answer", of_status(202), ids=str)
async def test_a_documented_removal_in_part_is_answered(
    answer: Documented, source: FakeSource, gateway_at: GatewayAt
) -> None:
    async with cluster_of(2, source) as (node, gone):
        url = await gateway_at(peers_of([node.address, gone.address]))
        await gone.stop(drain=False)
        async with asking(url) as http:
            response = await http.send(answer.request(http))
    assert_is(answer, response, {gone.address: answer.example["unreached"][0]})


def assert_is(answer: Documented, response: httpx.Response, names: Mapping[str, str]) -> None:
    """Compare all of a response with what is documented, `names` being its addresses' there."""
    assert response.status_code == answer.status
    text = as_documented(response.text, names)
    if answer.media_type is not None:
        assert response.headers["content-type"].partition(";")[0] == answer.media_type
        is_json = answer.media_type in (PROBLEM, JSON)
        assert (json.loads(text) if is_json else text) == answer.example
    else:
        assert text == ""
    answered = set(response.headers) - OF_EVERY_MESSAGE
    always = {name for name, field in answer.headers.items() if field["required"]}
    assert always <= answered <= set(answer.headers)
    if answer.media_type == JSON and answer.is_first:
        for name in always:
            got = as_documented(response.headers[name], names)
            assert got == str(answer.headers[name]["example"])


def as_documented(text: str, names: Mapping[str, str]) -> str:
    """Return what was answered with the addresses and the uptime that the document has."""
    for name, documented in names.items():
        text = text.replace(name, documented)
    return re.sub(r'"uptime":[0-9.e-]+', '"uptime":60.0', text)

"""A client's near cache over real connections."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import TypeAlias

import httpx
import pytest
from clusters import cluster_of, peers_of
from fakes import FakeSource, settled
from processes import GatewayAt
from relay import Relay

from cache_core import Answer, CacheError, Client, Group, GroupSettings, Node
from cache_core.cluster.watchers import ACK_SECONDS, SILENCE_SECONDS
from cache_core.settings import MIB

Removing: TypeAlias = Callable[[], Awaitable[object]]
"""Removes, and returns something true where somebody may not have heard of it."""

crosswise = pytest.mark.usefixtures("engine", "channel")


@asynccontextmanager
async def covered(nodes: str, key: str = "Tom") -> AsyncIterator[Client]:
    """A client with a near cache that has a copy of the key's value."""
    async with Client(nodes, timeout=10, near_cache=MIB) as client:
        async with asyncio.timeout(10):
            while client.peek("scores", key) is None:
                await client.get("scores", key)
        yield client


async def gone(client: Client, key: str = "Tom") -> None:
    """Return once the client has no copy."""
    async with asyncio.timeout(2 * SILENCE_SECONDS):
        while client.peek("scores", key) is not None:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def reaching_all(remove: Removing) -> None:
    """Remove until nobody is named: where the machine is slow, an acknowledgement may come late."""
    while await remove():
        pass


@crosswise
async def test_a_copy_costs_no_call_and_is_as_the_node_answered(node: Node) -> None:
    async with covered(node.address) as client:
        hits = node.group("scores").stats().hits
        value = await client.get("scores", "Tom")
        assert (value.data, value.answer, value.node) == (b"630", Answer.HIT, node.address)
        assert node.group("scores").stats().hits == hits
        assert node.info().watchers == 1


@pytest.mark.parametrize("way", ["client", "flush", "node", "http"])
async def test_a_removal_by_whomever_is_seen_at_once(
    node: Node, client: Client, source: FakeSource, gateway_at: GatewayAt, way: str
) -> None:
    url = await gateway_at(node.address)
    async with covered(node.address) as near, httpx.AsyncClient(base_url=url) as http:
        source.values["Tom"] = b"new"

        async def by_http() -> bool:
            return (await http.delete("/groups/scores/keys/Tom")).status_code == 202

        ways: dict[str, Removing] = {
            "client": lambda: client.remove("scores", "Tom"),
            "flush": lambda: client.flush("scores"),
            "node": lambda: node.remove("scores", "Tom"),
            "http": by_http,
        }
        await reaching_all(ways[way])
        assert near.peek("scores", "Tom") is None
        assert (await near.get("scores", "Tom")).data == b"new"


async def test_a_gateways_copy_is_gone_once_a_client_of_nodes_has_removed_it(
    node: Node, client: Client, source: FakeSource, gateway_at: GatewayAt
) -> None:
    url = await gateway_at(node.address)
    async with httpx.AsyncClient(base_url=url) as http:
        for number in range(30):
            for _ in range(3):
                response = await http.get("/groups/scores/keys/Tom")
            source.values["Tom"] = str(number).encode()
            await reaching_all(lambda: client.remove("scores", "Tom"))
            response = await http.get("/groups/scores/keys/Tom")
            assert response.json()["value"] == str(number)
        assert node.group("scores").stats().hits < 60


@crosswise
async def test_an_answer_under_way_when_its_key_is_removed_is_not_copied(
    node: Node, client: Client, source: FakeSource
) -> None:
    async with covered(node.address) as near:
        source.gate.clear()
        source.asked.clear()
        early = asyncio.create_task(near.get("scores", "Jack"))
        await source.asked.wait()
        await reaching_all(lambda: client.remove("scores", "Jack"))
        source.gate.set()
        assert (await early).data == b"589"
        assert near.peek("scores", "Jack") is None


@crosswise
async def test_a_node_that_stops_ends_what_it_covers(node: Node) -> None:
    async with covered(node.address) as near:
        await node.stop(drain=False)
        await gone(near)


@crosswise
async def test_a_connection_that_breaks_ends_what_it_covers_and_it_is_covered_anew(
    node: Node, source: FakeSource
) -> None:
    async with Relay(node.address) as relay, covered(relay.address) as near:
        relay.cut()
        await gone(near)
        source.values["Tom"] = b"new"
        await node.remove("scores", "Tom")
        async with asyncio.timeout(10):
            while (copy := near.peek("scores", "Tom")) is None:
                await asyncio.sleep(0.01)
                with suppress(CacheError):
                    await near.get("scores", "Tom")
        assert copy.data == b"new"


async def test_a_client_that_does_not_acknowledge_is_named_and_may_answer_until_then(
    node: Node, client: Client
) -> None:
    async with Relay(node.address) as relay, covered(relay.address) as near:
        relay.freeze()
        began = asyncio.get_running_loop().time()
        (name,) = await client.remove("scores", "Tom")
        assert name.startswith("watcher ")
        assert asyncio.get_running_loop().time() - began < ACK_SECONDS + 1
        relay.thaw()
        await gone(near)


@pytest.mark.slow
async def test_a_frozen_nodes_copies_are_not_answered_for_longer_than_removals_name_the_watcher(
    node: Node, client: Client
) -> None:
    async with Relay(node.address) as relay, covered(relay.address) as near:
        relay.freeze()
        assert await client.remove("scores", "Tom") != ()
        while await client.remove("scores", "Jack") != ():  # noqa: ASYNC110 - as in `gone`
            await asyncio.sleep(0.01)
        assert near.peek("scores", "Tom") is None


@crosswise
async def test_a_reload_that_changes_a_group_or_drops_it_ends_its_copies(
    node: Node, source: FakeSource
) -> None:
    async with covered(node.address) as near:
        await node.reload([Group("scores", source)])
        await settled()
        assert near.peek("scores", "Tom") is not None
        await node.reload([Group("scores", source, GroupSettings(content_type="text/plain"))])
        await gone(near)
        async with asyncio.timeout(10):
            while near.peek("scores", "Tom") is None:
                assert (await near.get("scores", "Tom")).terms.content_type == "text/plain"
        await node.reload([])
        await gone(near)


@pytest.mark.slow
async def test_no_read_that_begins_after_a_removal_returned_has_what_was_there_before() -> None:
    source = FakeSource({})
    versions = dict.fromkeys("abcdefgh", 0)
    removed = dict(versions)
    for key in versions:
        source.values[key] = b"0"
    async with cluster_of(3, source) as nodes:
        peers = peers_of([node.address for node in nodes])
        ends = asyncio.get_running_loop().time() + 4
        near = [Client(peers, timeout=10, near_cache=MIB) for _ in range(3)]
        reads = count()

        async def read(client: Client, rng: random.Random) -> None:
            while asyncio.get_running_loop().time() < ends:
                key = rng.choice("abcdefgh")
                floor = removed[key]
                value = await client.get("scores", key)
                assert int(value.data) >= floor, (key, value, floor)
                next(reads)
                await asyncio.sleep(0)

        async def remove(client: Client, rng: random.Random, keys: str) -> None:
            while asyncio.get_running_loop().time() < ends:
                key = rng.choice(keys)
                versions[key] += 1
                version = versions[key]
                source.values[key] = str(version).encode()
                if await client.remove("scores", key) == ():
                    removed[key] = version

        rngs = map(random.Random, count(1))
        readers = [read(client, next(rngs)) for client in near for _ in range(4)]
        removers = [remove(near[0], next(rngs), "abcd"), remove(near[1], next(rngs), "efgh")]
        await asyncio.gather(*readers, *removers)
        hits = sum(client.near_stats()["scores"].hits for client in near)
        assert hits > next(reads) / 10
        assert sum(removed.values()) > 20
        for client in near:
            await client.aclose()

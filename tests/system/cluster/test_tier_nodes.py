"""Nodes over a second tier: real ones, over a real Redis, single and Cluster."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cluster.fleet import free_addresses
from clusters import peers_of
from fakes import FakeSource
from sources.redis_servers import Redis, redis_server, redis_trio
from sources.tier_calls import PATIENT

from cache_core import Answer, Client, Group, GroupSettings, Node
from cache_core.stats import TierStats
from cache_core.valkey.tier import open_tier

pytestmark = pytest.mark.service

KEYS = [f"key {number}" for number in range(300)]


@pytest.fixture(params=[redis_server, redis_trio], ids=["single", "cluster"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Redis]:
    with request.param(tmp_path) as started:
        yield started


@pytest.fixture
def source() -> FakeSource:
    return FakeSource({key: key.encode() for key in KEYS})


@contextlib.asynccontextmanager
async def nodes_over(
    place: Redis, source: FakeSource, names: list[str], *, timeout: float = PATIENT
) -> AsyncIterator[tuple[Client, list[Node]]]:
    """Nodes of one cluster, each with the group `g` over the tier in `place`."""
    peers = peers_of(names)
    async with contextlib.AsyncExitStack() as running:
        nodes = []
        for name in names:
            tier = open_tier(place.url, group="g", timeout=timeout)
            group = Group("g", source, GroupSettings(ttl=3600, stale_if_error=3600), tier=tier)
            node = Node(name, [group], peers=peers)
            await node.start()
            running.push_async_callback(node.stop, drain=False)
            nodes.append(node)
        client = await running.enter_async_context(Client(peers, timeout=30))
        yield client, nodes


async def get_all(client: Client) -> list[bytes]:
    return [value.data for value in await asyncio.gather(*(client.get("g", key) for key in KEYS))]


async def test_restarting_every_node_costs_no_look_up_in_the_source(
    place: Redis, source: FakeSource
) -> None:
    wanted = [key.encode() for key in KEYS]
    async with nodes_over(place, source, free_addresses(3)) as (client, _):
        assert await get_all(client) == wanted
    assert len(source.lookups) == len(KEYS)
    async with nodes_over(place, source, free_addresses(3)) as (client, nodes):
        assert await get_all(client) == wanted
        assert sum(node.info().groups["g"].stats.loads for node in nodes) == 0
        value = await client.get("g", KEYS[0])
        assert value.ttl is not None
        assert 0.8 * 3600 < value.ttl < 3600
    assert len(source.lookups) == len(KEYS)


async def test_after_a_removal_no_node_old_or_new_answers_what_was_there(
    place: Redis, source: FakeSource
) -> None:
    async with nodes_over(place, source, free_addresses(2)) as (client, _):
        await get_all(client)
        source.values[KEYS[0]] = b"new"
        assert await client.remove("g", KEYS[0]) == ()
        assert (await client.get("g", KEYS[0])).data == b"new"
        source.values[KEYS[1]] = b"new"
        assert await client.flush("g") == ()
    async with nodes_over(place, source, free_addresses(2)) as (client, _):
        for key in KEYS[:2]:
            assert (await client.get("g", key)).data == b"new"


async def test_a_tier_that_is_lost_costs_nothing_but_look_ups_and_is_used_again_once_it_is_back(
    place: Redis, source: FakeSource
) -> None:
    async with nodes_over(place, source, free_addresses(1), timeout=0.25) as (client, (node,)):
        await client.get("g", KEYS[0])
        place.kill()
        for key in KEYS[1:20]:
            assert (await client.get("g", key)).data == key.encode()
        source.values[KEYS[0]] = b"new"
        assert await client.remove("g", KEYS[0]) == ("the tier of g",)
        assert (await client.get("g", KEYS[0])).data == b"new"
        await asyncio.to_thread(place.start)
        async with asyncio.timeout(60):
            while _tier(node).owed:  # noqa: ASYNC110 - it has no event to wait for
                await asyncio.sleep(0.05)
    assert _tier(node).errors >= 5
    async with nodes_over(place, source, free_addresses(1)) as (client, _):
        assert (await client.get("g", KEYS[0])).data == b"new"


async def test_a_tier_that_hangs_delays_a_get_by_its_timeout_at_the_most(
    place: Redis, source: FakeSource
) -> None:
    async with nodes_over(place, source, free_addresses(1), timeout=0.1) as (client, _):
        await client.get("g", KEYS[0])
        for server in place.servers:
            server.freeze()
        async with asyncio.timeout(10):
            for key in KEYS[1:100]:  # a second each, were it waited for as long as for a source
                assert (await client.get("g", key)).answer is Answer.MISS
        for server in place.servers:
            server.thaw()


async def test_groups_share_a_tier_and_no_keys(place: Redis) -> None:
    name = secrets.token_hex(4)
    async with contextlib.AsyncExitStack() as closing:
        found = []
        for group_name in (f"{name}a", f"{name}b"):
            tier = open_tier(place.url, group=group_name, timeout=PATIENT)
            source = FakeSource({"Tom": group_name.encode()})
            group = Group(group_name, source, tier=tier)
            closing.push_async_callback(group.aclose)
            found.append((await group.get("Tom")).data)
    assert found == [f"{name}a".encode(), f"{name}b".encode()]


def _tier(node: Node) -> TierStats:
    stats = node.group("g").stats().tier
    assert stats is not None
    return stats

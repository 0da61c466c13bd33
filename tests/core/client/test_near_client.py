"""A client with a near cache over nodes in this process, without sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from fakes import settled
from trio_in_process import Cluster, Make, key_of

from cache_core import Answer, Client, Demand, Value
from cache_core.client.near import NearStats
from cache_core.messages import Health
from cache_core.settings import MIB

if TYPE_CHECKING:
    from cache_core.value import Outcome


@asynccontextmanager
async def covered(cluster: Cluster, key: str) -> AsyncIterator[Client]:
    """A client that has a copy of the key's value."""
    client = Client(cluster.roster, timeout=5, near_cache=MIB, connect=cluster.wires.connect)
    async with client:
        while client.peek("g", key) is None:
            await client.get("g", key)
            await settled()
        yield client


async def test_a_copy_is_answered_without_asking_the_node(make: Make) -> None:
    cluster = await make(ttl=60, jitter=0)
    key = key_of("b:1", cluster.nodes)
    async with covered(cluster, key) as client:
        asked = len(cluster.wires.asked)
        for demand in (Demand.ANY, Demand.CACHED):
            value = await client.get("g", key, demand=demand)
            assert (value.data, value.answer, value.node) == (key.encode(), Answer.HIT, "b:1")
            assert value.ttl is not None
            assert 59 < value.ttl < 60
        assert (await client.get_many("g", [key]))[key].answer is Answer.HIT  # type: ignore[union-attr]
        outcomes: list[object] = []
        client.ask("g", key, deadline=asyncio.get_running_loop().time(), then=outcomes.append)
        client.ask(
            "g", key, deadline=asyncio.get_running_loop().time(), then=outcomes.append
        ).give_up()
        assert outcomes == []
        await settled()
        assert [isinstance(outcome, Value) for outcome in outcomes] == [True]
        assert len(cluster.wires.asked) == asked
        held = client.hold("g", key)
        assert held is not None
        assert held.touch()
        assert client.near_stats()["g"] == NearStats(7, 1, client.near_stats()["g"].bytes)
        stats = client.near_cache_stats()
        assert stats is not None
        assert stats.capacity == MIB


async def test_without_a_near_cache_nothing_is_copied_or_watched(make: Make) -> None:
    cluster = await make()
    async with Client(cluster.roster, timeout=5, connect=cluster.wires.connect) as client:
        for _ in range(3):
            await client.get("g", "1")
            await settled()
        assert client.peek("g", "1") is None
        assert client.hold("g", "1") is None
        assert (client.near_stats(), client.near_cache_stats()) == ({}, None)
        assert sum(len(node.watchers) for node in cluster.nodes.values()) == 0
    with pytest.raises(ValueError, match="0 bytes or more"):
        Client(near_cache=-1)


@pytest.mark.parametrize("whole", [False, True])
async def test_a_removal_by_another_is_seen_at_once(make: Make, whole: bool) -> None:
    cluster = await make()
    keys = [key_of(name, cluster.nodes) for name in cluster.nodes]
    async with (
        AsyncExitStack() as clients,
        Client(cluster.roster, timeout=5, connect=cluster.wires.connect) as other,
    ):
        for key in keys:
            near = await clients.enter_async_context(covered(cluster, key))
            cluster.source.values[key] = b"new"
            assert await (other.flush("g") if whole else other.remove("g", key)) == ()
            assert near.peek("g", key) is None
            assert (await near.get("g", key)).data == b"new"


@pytest.mark.parametrize("whole", [False, True])
async def test_a_clients_own_removal_ends_its_copy_though_nobody_is_reached(
    make: Make, whole: bool
) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    async with covered(cluster, key) as client:
        cluster.wires.cut.update(cluster.nodes)
        with pytest.raises(Exception, match="can't be reached"):
            await (client.flush("g") if whole else client.remove("g", key))
        assert client.peek("g", key) is None


async def test_who_asks_for_a_new_value_has_no_copy_and_leaves_a_new_one(make: Make) -> None:
    cluster = await make(client_reload=True)
    key = key_of("b:1", cluster.nodes)
    async with covered(cluster, key) as client:
        cluster.source.values[key] = b"new"
        assert (await client.get("g", key)).data == key.encode()
        assert (await client.get("g", key, demand=Demand.NEW)).data == b"new"
        assert (await client.get("g", key)).data == b"new"
        cluster.source.values[key] = b"newer"
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        deadline = asyncio.get_running_loop().time() + 5
        client.ask("g", key, demand=Demand.NEW, deadline=deadline, then=outcome.set_result)
        found = await outcome
        assert isinstance(found, Value)
        assert found.data == b"newer"
        copy = client.peek("g", key)
        assert copy is not None
        assert copy.data == b"newer"


async def test_what_the_asked_node_had_from_another_is_not_copied(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    only_a = type(cluster.roster)("a:1")
    async with Client(only_a, timeout=5, near_cache=MIB, connect=cluster.wires.connect) as client:
        mine = key_of("a:1", cluster.nodes)
        while client.peek("g", mine) is None:
            await client.get("g", mine)
            await settled()
        for _ in range(6):  # forwarded at first, then from the hot cache
            value = await client.get("g", key)
            assert value.copied
            assert client.peek("g", key) is None
        assert cluster.nodes["a:1"].groups["g"].info().sharing.hot_hits > 0


async def test_a_node_that_missed_a_removal_tells_its_watchers_when_it_hears_of_it(
    make: Make,
) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    async with (
        covered(cluster, key) as client,
        Client(type(cluster.roster)("a:1"), timeout=5, connect=cluster.wires.connect) as other,
    ):
        cluster.source.values[key] = b"new"
        cluster.wires.cut.add("b:1")
        assert await other.remove("g", key) == ("b:1",)
        assert client.peek("g", key) is not None  # its node has not heard of it either
        cluster.wires.cut.clear()
        await cluster.settle("b:1", Health.UP, seen_by="a:1")
        await settled()
        assert client.peek("g", key) is None


async def test_closing_leaves_no_copy_and_no_watcher(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    async with covered(cluster, key) as client:
        assert len(cluster.nodes["b:1"].watchers) == 1
    assert client.peek("g", key) is None
    assert len(cluster.nodes["b:1"].watchers) == 0

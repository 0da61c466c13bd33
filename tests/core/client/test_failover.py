"""Which nodes are asked for a key whose owner can't be reached, and how often."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import pytest
from fake_nodes import FOUR, FakeNodes
from fakes import settled
from virtual_time import in_virtual_time

from cache_core import Client, Demand, UnknownGroup, Value
from cache_core.client.retry_budget import RESERVE
from cache_core.cluster.health import PROBE_SECONDS
from cache_core.errors import CacheError, DeadlineExceeded, PeerUnavailable

if TYPE_CHECKING:
    from cache_core.value import Outcome

Call: TypeAlias = Callable[[Client, str], Awaitable[object]]

KEY = "Tom"


async def get(client: Client, key: str) -> object:
    return await client.get("g", key)


async def ask(client: Client, key: str) -> object:
    outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    deadline = asyncio.get_running_loop().time() + 1
    client.ask("g", key, deadline=deadline, then=outcome.set_result)
    found = await outcome
    if isinstance(found, Value):
        return found
    raise found


async def remove(client: Client, key: str) -> object:
    return await client.remove("g", key)


CALLS = pytest.mark.parametrize("call", [get, ask, remove])


def called(nodes: FakeNodes) -> list[str]:
    """The nodes that were called since the last time, in order."""
    return nodes.take_asked() + nodes.take_sent()


async def ready(client: Client, nodes: FakeNodes) -> None:
    """Have the client know its nodes, and each probed."""
    await client.reach()
    await settled()
    assert all(nodes.probes(name) for name in nodes.names)


async def fail(call: Call, client: Client, times: int) -> None:
    for _ in range(times):
        with suppress(CacheError):
            await call(client, KEY)


async def spend(call: Call, client: Client) -> None:
    """Have the client spend all its retries, of which a call that fails takes two."""
    await fail(call, client, int(RESERVE * 0.6))


@CALLS
@in_virtual_time
async def test_three_nodes_are_asked_at_the_most_each_once_in_the_rings_order(call: Call) -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        await ready(client, nodes)
        nodes.broken.update(FOUR)
        with pytest.raises(PeerUnavailable) as raised:
            await call(client, KEY)
        assert called(nodes) == nodes.owners(KEY)[:3]
        assert raised.value.node == nodes.owners(KEY)[2]


@CALLS
@in_virtual_time
async def test_where_all_are_left_out_no_node_is_asked_twice_in_a_call(call: Call) -> None:
    nodes = FakeNodes(*FOUR)
    nodes.cut.update(FOUR)
    async with nodes.client() as client:
        for _ in range(2):
            called(nodes)
            with pytest.raises(PeerUnavailable):
                await call(client, KEY)
        assert called(nodes) == nodes.owners(KEY)[:3]


@CALLS
@in_virtual_time
async def test_a_single_node_is_asked_once_more(call: Call) -> None:
    nodes = FakeNodes("a:1")
    async with nodes.client() as client:
        await ready(client, nodes)
        nodes.broken.add("a:1")
        with pytest.raises(PeerUnavailable, match="node a:1 can't be reached"):
            await call(client, KEY)
        assert called(nodes) == ["a:1", "a:1"]


@CALLS
@in_virtual_time
async def test_a_node_that_was_not_reached_is_not_the_first_to_be_asked_next(call: Call) -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        await ready(client, nodes)
        first, second, *_ = nodes.owners(KEY)
        nodes.broken.add(first)
        await call(client, KEY)
        assert called(nodes) == [first, second]
        await call(client, KEY)
        assert called(nodes) == [second]


@CALLS
@in_virtual_time
async def test_a_node_that_lets_a_call_time_out_is_probed_at_once_and_no_other_is_asked(
    call: Call,
) -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client(timeout=PROBE_SECONDS / 10) as client:
        await ready(client, nodes)
        owner = nodes.owners(KEY)[0]
        nodes.silent.add(owner)
        probes = nodes.probes(owner)
        with pytest.raises(DeadlineExceeded):
            await call(client, KEY) if call is not ask else await get(client, KEY)
        await settled()
        assert nodes.probes(owner) == probes + 1
        assert called(nodes) == [owner]


@in_virtual_time
async def test_no_other_node_is_told_of_a_removal_once_its_time_is_over() -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        await ready(client, nodes)
        owner = nodes.owners(KEY)[0]
        nodes.late.add(owner)
        with pytest.raises(PeerUnavailable, match=f"node {owner} can't be reached"):
            await client.remove("g", KEY)
        assert called(nodes) == [owner]


@in_virtual_time
async def test_a_nodes_answer_that_is_an_error_is_not_asked_for_at_another() -> None:
    nodes = FakeNodes(*FOUR)
    nodes.errors = dict.fromkeys(FOUR, UnknownGroup("no group of that name"))
    async with nodes.client() as client:
        with pytest.raises(UnknownGroup):
            await client.remove("g", KEY)
        assert called(nodes) == nodes.owners(KEY)[:1]


@in_virtual_time
async def test_a_retry_is_of_what_the_first_node_was_asked() -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        await ready(client, nodes)
        nodes.broken.add(nodes.owners(KEY)[0])
        await client.get("g", KEY, demand=Demand.NEW)
        one, other = (asked for _, asked in nodes.asked)
        assert one.demand is other.demand is Demand.NEW
        assert (one.forwarded, other.forwarded) == (False, False)
        assert other.deadline == pytest.approx(one.deadline)


@CALLS
@in_virtual_time
async def test_a_failing_cluster_is_asked_no_more_than_a_fifth_on_top(call: Call) -> None:
    nodes = FakeNodes(*FOUR)
    nodes.cut.update(FOUR)
    async with nodes.client() as client:
        await spend(call, client)
        called(nodes)
        await fail(call, client, 100)
        assert 118 <= len(called(nodes)) <= 121


@CALLS
@in_virtual_time
async def test_calls_that_need_no_retry_save_some_up_for_later(call: Call) -> None:
    nodes = FakeNodes(*FOUR)
    nodes.cut.update(FOUR)
    async with nodes.client() as client:
        await spend(call, client)
        nodes.cut.clear()
        await asyncio.sleep(60)
        for _ in range(50):
            await call(client, KEY)
        nodes.cut.update(FOUR)
        called(nodes)
        await fail(call, client, 4)
        assert len(called(nodes)) > 10

"""Calls to a key's owner: for how long, what their failures lead to, and how they end."""

import asyncio

import pytest
from trio_in_process import get, key_of, trio
from virtual_time import after, in_virtual_time

from cache_core.errors import DeadlineExceeded, PeerUnavailable, SourceUnavailable
from cache_core.messages import Probe
from cache_core.node.groups import NodeGroups
from cache_core.node.participant import Participant
from cache_core.node.shared_group import FETCH_MARGIN
from cache_core.value import Demand


def fetch_errors(node: Participant) -> int:
    return node.info().groups["g"].sharing.fetch_errors


@in_virtual_time
async def test_an_owner_may_take_somewhat_longer_than_a_load_may() -> None:
    async with trio(load_timeout=1) as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        late = asyncio.Event()
        cluster.wires.late.append(late)
        asking = asyncio.create_task(get(a, key))
        await after(1 + FETCH_MARGIN - 0.1)
        assert not asking.done()
        late.set()
        assert (await asking).data == key.encode()


@in_virtual_time
async def test_a_load_that_takes_too_long_at_the_owner_is_the_sources_failure() -> None:
    async with trio(load_timeout=1) as cluster:
        cluster.source.gate.clear()
        began = asyncio.get_running_loop().time()
        with pytest.raises(SourceUnavailable):
            await get(cluster.nodes["a:1"], key_of("b:1", cluster.nodes))
        assert asyncio.get_running_loop().time() - began == pytest.approx(1)


@in_virtual_time
async def test_an_owner_that_gives_no_answer_in_time_is_probed_at_once() -> None:
    async with trio(load_timeout=1) as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        never = asyncio.Event()
        cluster.wires.late.append(never)
        asking = asyncio.create_task(get(a, key))
        await after(1 + FETCH_MARGIN - 0.001)
        cluster.wires.sent.clear()
        with pytest.raises(DeadlineExceeded):
            await asking
        await after(0)
        assert "b:1" in [
            node
            for node, message in cluster.wires.sent
            if isinstance(message, Probe) and message.node == "a:1"
        ]


@in_virtual_time
async def test_a_get_is_a_fetch_error_where_no_owner_answered_and_it_was_loaded_here() -> None:
    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        keys = [
            next(
                key
                for key in map(str, range(9_999))
                if list(a.peers.ring.owners(key))[:2] == ["b:1", then]
            )
            for then in ("a:1", "c:1")
        ]
        cluster.wires.cut.add("b:1")
        await asyncio.gather(*(get(a, key) for key in keys))
        assert fetch_errors(a) == 1
        assert sorted(cluster.source.lookups) == sorted(keys)
        assert cluster.nodes["c:1"].peek("g", keys[1], forwarded=True) is not None


@pytest.mark.parametrize("demand", [Demand.ANY, Demand.NEW])
@in_virtual_time
async def test_gets_of_others_keys_end_with_the_node_and_load_nothing(demand: Demand) -> None:
    async with trio(client_reload=True) as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        cluster.source.gate.clear()
        asking = asyncio.create_task(get(a, key, demand=demand))
        await cluster.source.asked.wait()
        await a.aclose()
        with pytest.raises(PeerUnavailable, match="the node is stopping"):
            await asking
        await after(10)
        assert cluster.source.lookups == [key]
        assert cluster.source.cancelled == [key]


@in_virtual_time
async def test_gets_of_others_keys_end_with_their_group_when_a_reload_drops_it() -> None:
    async with trio() as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        cluster.source.gate.clear()
        asking = asyncio.create_task(get(a, key))
        await cluster.source.asked.wait()
        groups = NodeGroups([group.group for group in a.groups.values()], None)
        groups.reload([], a)
        async with asyncio.timeout(1):
            with pytest.raises(PeerUnavailable):
                await asking
        await groups.close_sources()
        assert cluster.source.closed

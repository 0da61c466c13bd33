"""What a node answers as one of a cluster, without sockets."""

import asyncio
from typing import Any

import pytest
from in_process import Deliver, Roster, Wires
from trio_in_process import Make, get, key_of
from virtual_time import in_virtual_time

from cache_core.errors import CacheError, NotFound, RetrieverFailed
from cache_core.messages import Health, Message, Probed


async def test_a_key_is_loaded_by_its_owner_whoever_is_asked(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    for node in cluster.nodes.values():
        value = await get(node, key)
        assert value.data == key.encode()
        assert value.node in (None, "b:1")
    assert cluster.source.lookups == [key]
    assert {(node, forwarded) for node, _, forwarded in cluster.wires.asked} == {("b:1", True)}


async def test_many_who_ask_a_node_for_anothers_key_make_one_call(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    await asyncio.gather(*(get(cluster.nodes["a:1"], key) for _ in range(50)))
    assert [node for node, *_ in cluster.wires.asked] == ["b:1"]


async def test_a_forwarded_request_is_loaded_where_it_arrives(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    await get(cluster.nodes["a:1"], key, forwarded=True)
    assert cluster.wires.asked == []
    assert cluster.source.lookups == [key]


async def test_nodes_whose_rings_disagree_answer_one_another(make: Make) -> None:
    cluster = await make()
    a, b = cluster.nodes["a:1"], cluster.nodes["b:1"]
    key = key_of("b:1", cluster.nodes)
    b.peers.leave()  # to b, the key is another's; to a, it is b's
    both = asyncio.gather(get(a, key), get(b, key))
    assert [value.data for value in await asyncio.wait_for(both, 5)] == [key.encode()] * 2


@pytest.mark.parametrize("error", [None, RetrieverFailed("the source of group g failed")])
async def test_the_owners_own_errors_are_the_answer(make: Make, error: CacheError | None) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    cluster.source.values.clear()
    cluster.source.error = error
    with pytest.raises(type(error) if error else NotFound) as raised:
        await get(cluster.nodes["a:1"], key)
    assert str(raised.value) == (str(error) if error else f"{key} not exist")
    assert cluster.source.lookups == [key]


async def test_a_dead_owners_key_is_loaded_once_by_the_next_on_the_ring(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    cluster.wires.cut.add("b:1")
    await asyncio.gather(
        *(get(cluster.nodes[name], key) for name in ("a:1", "c:1") for _ in range(20))
    )
    assert cluster.source.lookups == [key]
    assert cluster.nodes["a:1"].peers.health("b:1") is Health.LEFT_OUT


@pytest.mark.slow
async def test_an_owner_that_froze_is_left_out_and_its_waiting_keys_move_on(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    cluster.wires.frozen.add("b:1")
    assert (await asyncio.wait_for(get(cluster.nodes["a:1"], key), 5)).data == key.encode()


async def test_a_node_that_answers_again_is_asked_again(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    cluster.wires.cut.add("b:1")
    await get(cluster.nodes["a:1"], key)
    cluster.wires.cut.clear()
    await cluster.settle("b:1", Health.UP, seen_by="a:1")
    other = key_of("b:1", cluster.nodes, 1)
    assert (await get(cluster.nodes["a:1"], other)).node == "b:1"


async def test_a_popular_key_of_another_is_answered_from_a_copy(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    for _ in range(10):
        await get(cluster.nodes["a:1"], key)
    assert len(cluster.wires.asked) < 5
    sharing = cluster.nodes["a:1"].info().groups["g"].sharing
    assert sharing.hot_hits + sharing.fetches == 10
    assert sharing.hot.entries == 1


async def test_many_calls_that_fail_at_once_leave_a_node_out_no_longer_than_one(
    make: Make,
) -> None:
    cluster = await make()
    cluster.wires.cut.add("b:1")
    keys = [key_of("b:1", cluster.nodes, number) for number in range(50)]
    await asyncio.gather(*(get(cluster.nodes["a:1"], key) for key in keys))
    cluster.wires.cut.clear()
    async with asyncio.timeout(1):
        await cluster.settle("b:1", Health.UP, seen_by="a:1")


async def test_a_call_with_another_ring_is_counted(make: Make) -> None:
    cluster = await make()
    a = cluster.nodes["a:1"]
    before = a.info().ring_mismatches
    a.note_ring(a.info().ring)
    a.note_ring(0)
    assert a.info().ring_mismatches == before
    a.note_ring(12345)
    assert a.info().ring_mismatches == before + 1


async def test_members_who_come_and_go_are_followed(make: Make) -> None:
    cluster = await make()
    await cluster.roster.set("a:1", "c:1")
    await cluster.wires.until(lambda: len(cluster.nodes["a:1"].info().members) == 2)
    key = next(key for key in map(str, range(999)) if cluster.nodes["b:1"].peers.owner(key))
    assert cluster.nodes["a:1"].peers.owner(key) in ("a:1", "c:1")
    assert sum(info.share for info in cluster.nodes["a:1"].info().members) == pytest.approx(1)


async def test_a_node_that_knows_no_ring_counts_nobody_for_another() -> None:
    alone = Wires().add("a:1", [])
    alone.note_ring(12345)
    assert alone.info().ring_mismatches == 0
    await alone.aclose()


@in_virtual_time
async def test_a_node_that_answers_a_probe_by_another_ring_is_counted() -> None:
    wires, roster = Wires(), Roster("a:1", "b:1")
    a = wires.add("a:1", [])

    async def carry(_node: str, _message: Message[Any], _deliver: Deliver) -> object:
        return Probed(draining=False, ring=12345)

    wires.carry = carry
    a.open(roster.watch())
    await a.peers.known()
    await a.peers.probed()
    assert a.info().ring_mismatches == 1
    await a.aclose()

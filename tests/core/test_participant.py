"""What a node answers as one of a cluster, without sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest
from fakes import FakeSource, settled
from wires import Roster, Wires

from cache_core import Group, GroupSettings
from cache_core.errors import CacheError, NotFound, RetrieverFailed, UnknownGroup
from cache_core.messages import Drop, Health, Invalidation
from cache_core.participant import Participant
from cache_core.value import Value

NODES = ("a:1", "b:1", "c:1")


async def get(node: Participant, key: str, *, forwarded: bool = False) -> Value:
    value = node.peek("g", key, forwarded=forwarded)
    return await node.get("g", key, forwarded=forwarded) if value is None else value


def key_of(owner: str, nodes: dict[str, Participant], number: int = 0) -> str:
    """Return a key that `owner` owns."""
    peers = nodes[owner].peers
    keys = (key for key in map(str, range(10_000)) if peers.owner(key) == owner)
    return [next(keys) for _ in range(number + 1)][number]


class Cluster:
    """Three nodes over one source, each with a group `g` of its own."""

    def __init__(self, **settings: object) -> None:
        self.wires = Wires()
        self.roster = Roster(*NODES)
        self.source = FakeSource({str(key): str(key).encode() for key in range(10_000)})
        self.settings = GroupSettings.model_validate(settings)

    async def start(self, name: str) -> Participant:
        node = self.wires.add(name, [Group("g", self.source, self.settings)])
        node.open(self.roster.watch())
        await node.take_own()
        node.is_ready = True
        node.announce()
        return node

    @property
    def nodes(self) -> dict[str, Participant]:
        return self.wires.nodes

    async def settle(self, name: str, health: Health, *, seen_by: str) -> None:
        """Wait until a node makes that of another."""
        await self.wires.until(lambda: self.nodes[seen_by].peers.health(name) is health)


Make: TypeAlias = Callable[..., Awaitable[Cluster]]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[Cluster] = []

    async def start(**settings: object) -> Cluster:
        cluster = Cluster(**settings)
        made.append(cluster)
        await asyncio.gather(*map(cluster.start, NODES))
        for name in NODES:
            for other in NODES:
                await cluster.settle(name, Health.UP, seen_by=other)
        return cluster

    yield start
    for cluster in made:
        for node in cluster.nodes.values():
            await node.aclose()


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


@pytest.mark.parametrize("asked", NODES)
async def test_after_a_removal_no_node_answers_what_was_loaded_before(
    make: Make, asked: str
) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    for node in cluster.nodes.values():
        for _ in range(10):
            await get(node, key)
    cluster.source.values[key] = b"new"
    assert await cluster.nodes[asked].receive(Drop(Invalidation("g", key))) == ()
    assert {(await get(node, key)).data for node in cluster.nodes.values()} == {b"new"}


async def test_a_flush_removes_every_key_at_every_node(make: Make) -> None:
    cluster = await make()
    keys = [key_of(name, cluster.nodes) for name in NODES]
    for node in cluster.nodes.values():
        for key in keys * 5:
            await get(node, key)
    for key in keys:
        cluster.source.values[key] = b"new"
    assert await cluster.nodes["a:1"].receive(Drop(Invalidation("g"))) == ()
    for node in cluster.nodes.values():
        for key in keys:
            assert (await get(node, key)).data == b"new"


async def test_a_load_under_way_at_the_owner_is_answered_to_nobody_who_comes_later(
    make: Make,
) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    cluster.source.gate.clear()
    early = asyncio.create_task(get(cluster.nodes["a:1"], key))
    await cluster.source.asked.wait()
    cluster.source.asked.clear()
    assert await cluster.nodes["c:1"].receive(Drop(Invalidation("g", key))) == ()
    late = [asyncio.create_task(get(node, key)) for node in cluster.nodes.values()]
    await cluster.source.asked.wait()
    await settled()
    assert cluster.source.lookups == [key, key]
    cluster.source.gate.set()
    await asyncio.gather(early, *late)


async def test_a_node_that_was_not_reached_is_named_and_told_when_it_answers(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    await get(cluster.nodes["b:1"], key)
    cluster.source.values[key] = b"new"
    cluster.wires.cut.add("b:1")
    assert await cluster.nodes["a:1"].receive(Drop(Invalidation("g", key))) == ("b:1",)
    assert (await get(cluster.nodes["b:1"], key)).data == key.encode()
    cluster.wires.cut.clear()
    await cluster.settle("b:1", Health.UP, seen_by="a:1")
    assert (await get(cluster.nodes["b:1"], key)).data == b"new"


async def test_a_frozen_node_holds_up_a_removal_no_longer_than_its_deadline(make: Make) -> None:
    cluster = await make()
    cluster.wires.frozen.add("b:1")
    drop = Drop(Invalidation("g", "1"), timeout=0.2)
    unreached = await asyncio.wait_for(cluster.nodes["a:1"].receive(drop), 0.2)
    assert unreached == ("b:1",)


async def test_a_removal_reaches_a_node_that_is_on_anothers_list_alone(make: Make) -> None:
    cluster = await make()
    late = cluster.wires.add("late:1", [Group("g", cluster.source, cluster.settings)])
    late.open(Roster("b:1", "late:1").watch())
    await late.take_own()
    await cluster.wires.until(lambda: "late:1" in cluster.nodes["b:1"].peers.others())
    key = key_of("late:1", cluster.nodes)
    await get(late, key)
    cluster.source.values[key] = b"new"
    assert await cluster.nodes["a:1"].receive(Drop(Invalidation("g", key))) == ()
    assert (await get(late, key)).data == b"new"


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


async def test_an_unknown_group_can_not_be_flushed(make: Make) -> None:
    cluster = await make()
    with pytest.raises(UnknownGroup):
        await cluster.nodes["a:1"].receive(Drop(Invalidation("none")))


async def test_a_node_that_leaves_hands_its_entries_to_those_who_take_over(make: Make) -> None:
    cluster = await make()
    keys = [key_of("b:1", cluster.nodes, number) for number in range(20)]
    for key in keys:
        await get(cluster.nodes["b:1"], key)
    cluster.source.lookups.clear()
    b = cluster.nodes["b:1"]
    b.is_ready = False
    assert await b.leave()
    for node in cluster.nodes.values():
        for key in keys:
            assert (await get(node, key)).data == key.encode()
    assert cluster.source.lookups == []


async def test_a_node_that_joins_takes_what_is_its_own(make: Make) -> None:
    cluster = await make()
    b = cluster.nodes.pop("b:1")
    await b.aclose()
    keys = list(map(str, range(200)))
    for name in ("a:1", "c:1"):
        await cluster.settle("b:1", Health.LEFT_OUT, seen_by=name)
        for key in keys:
            await get(cluster.nodes[name], key)
    cluster.source.lookups.clear()
    await cluster.start("b:1")
    for name in ("a:1", "c:1"):
        await cluster.settle("b:1", Health.UP, seen_by=name)
    for node in cluster.nodes.values():
        for key in keys:
            await get(node, key)
    assert cluster.source.lookups == []
    assert cluster.nodes["b:1"].info().groups["g"].stats.cache.entries > 0


async def test_what_is_removed_while_it_is_handed_over_is_not_kept(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    await get(cluster.nodes["b:1"], key)
    cluster.source.values[key] = b"new"
    b = cluster.nodes["b:1"]
    give = b._handover.give  # noqa: SLF001 - held back on its way, as a slow wire would

    async def give_late(node: str) -> object:
        handed = await give(node)
        await cluster.nodes["a:1"].receive(Drop(Invalidation("g", key)))
        return handed

    b._handover.give = give_late  # type: ignore[method-assign,assignment] # noqa: SLF001
    b.is_ready = False
    await b.leave()
    assert {(await get(node, key)).data for node in cluster.nodes.values()} == {b"new"}


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

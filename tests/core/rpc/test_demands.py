"""Gets that demand what is held, or what is new, over real connections."""

from collections.abc import AsyncIterator

import pytest
from fake_participant import FakeParticipant, ask, connected, hit, outcomes
from fakes import FakeSource

from cache_core import Answer, Client, Demand, Group, GroupSettings, Node, NotCached, NotFound

pytestmark = pytest.mark.usefixtures("engine", "channel")


@pytest.fixture
async def reloading(source: FakeSource) -> AsyncIterator[Node]:
    """A node on a free port whose group `scores` may be reloaded."""
    settings = GroupSettings(ttl=60, jitter=0, negative_ttl=30, client_reload=True)
    async with Node("127.0.0.1:0", [Group("scores", source, settings)], grace=5) as node:
        yield node


async def test_a_client_gets_what_is_held_or_is_told_that_nothing_is(
    reloading: Node, source: FakeSource
) -> None:
    async with Client(reloading.address, timeout=10) as client:
        with pytest.raises(NotCached, match="Tom is not cached") as raised:
            await client.get("scores", "Tom", demand=Demand.CACHED)
        assert raised.value.node == reloading.address
        assert source.lookups == []
        await client.get("scores", "Tom")
        value = await client.get("scores", "Tom", demand=Demand.CACHED)
        assert value.answer is Answer.HIT


async def test_a_client_gets_what_is_new(reloading: Node, source: FakeSource) -> None:
    async with Client(reloading.address, timeout=10) as client:
        assert (await client.get("scores", "Tom")).stored
        source.values["Tom"] = b"new"
        assert (await client.get("scores", "Tom")).data == b"630"
        value = await client.get("scores", "Tom", demand=Demand.NEW)
    assert (value.data, value.answer, value.stored) == (b"new", Answer.RELOAD, True)


async def test_an_application_gets_by_demand_from_its_node(
    reloading: Node, source: FakeSource
) -> None:
    with pytest.raises(NotCached):
        await reloading.get("scores", "Tom", demand=Demand.CACHED)
    await reloading.get("scores", "Tom")
    source.values["Tom"] = b"new"
    assert (await reloading.get("scores", "Tom", demand=Demand.NEW)).data == b"new"


async def test_a_client_hears_how_long_a_missing_key_is_remembered(reloading: Node) -> None:
    async with Client(reloading.address, timeout=10) as client:
        with pytest.raises(NotFound) as raised:
            await client.get("scores", "none")
    assert raised.value.ttl is not None
    assert 20 < raised.value.ttl <= 30


async def test_each_key_of_a_batch_has_its_own_demand() -> None:
    participant = FakeParticipant(source={key: hit() for key in "abc"})
    async with connected(participant) as channel:
        asks = [ask(key, demand=demand) for key, demand in zip("abc", Demand, strict=True)]
        await outcomes(channel, asks)
    assert sorted(participant.demands) == sorted([*Demand, *Demand])


@pytest.mark.parametrize("demand", Demand)
async def test_a_single_key_has_its_demand(demand: Demand) -> None:
    participant = FakeParticipant(source={"k": hit()})
    async with connected(participant) as channel:
        await outcomes(channel, [ask("k", demand=demand)])
    assert participant.demands == [demand, demand]

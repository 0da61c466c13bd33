"""What a client refuses, how long its calls take, and what is left of them."""

import asyncio
from math import inf, nan
from typing import TYPE_CHECKING

import pytest
from fake_nodes import FOUR, FakeNodes
from fakes import settled
from virtual_time import after, in_virtual_time, now

from cache_core import Client, Demand, InvalidKey, Value
from cache_core.errors import DeadlineExceeded, KeyRequired, PeerUnavailable
from cache_core.settings import MIB

if TYPE_CHECKING:
    from cache_core.value import Outcome

SURROGATE = "\ud800"


@in_virtual_time
async def test_a_call_that_names_no_time_has_the_clients() -> None:
    nodes = FakeNodes(*FOUR)
    nodes.silent.update(FOUR)
    async with nodes.client(timeout=0.7) as client:
        for call in (client.get("g", "1"), client.remove("g", "1"), client.flush("g")):
            began = now()
            with pytest.raises(DeadlineExceeded):
                await call
            assert now() - began == pytest.approx(0.7)


@in_virtual_time
async def test_a_call_that_has_no_time_is_over_at_once() -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        await client.get("g", "1")
        nodes.silent.update(FOUR)
        began = now()
        with pytest.raises(DeadlineExceeded):
            await client.get("g", "1", timeout=0)
        with pytest.raises(DeadlineExceeded):
            await client.remove("g", "1", timeout=0)
        assert now() - began < 0.01


@in_virtual_time
async def test_the_wait_for_the_members_counts_as_the_calls_time() -> None:
    for removes in (False, True):
        nodes = FakeNodes(*FOUR)
        nodes.known_after = 0.6
        nodes.silent.update(FOUR)
        async with nodes.client(timeout=1) as client:
            began = now()
            with pytest.raises(DeadlineExceeded):
                await (client.remove("g", "1") if removes else client.get("g", "1"))
            assert now() - began == pytest.approx(1)


@in_virtual_time
async def test_a_registry_that_says_nothing_is_waited_for_no_longer_than_the_calls_time() -> None:
    nodes = FakeNodes(*FOUR)
    nodes.known_after = 3000.0
    async with nodes.client(timeout=1) as client:
        for call in (client.get("g", "1"), client.remove("g", "1"), client.describe()):
            began = now()
            with pytest.raises(PeerUnavailable, match="no member of the cluster is known yet"):
                await call
            assert now() - began == pytest.approx(1)
        assert (await client.get("g", "1", timeout=inf)).data == b"1"


@pytest.mark.parametrize("timeout", [nan, -1.0, -inf])
async def test_a_timeout_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match="0 seconds or more"):
        Client(timeout=timeout)
    client = FakeNodes(*FOUR).client()
    for call in (
        client.get("g", "1", timeout=timeout),
        client.remove("g", "1", timeout=timeout),
        client.flush("g", timeout=timeout),
        client.describe(timeout=timeout),
        client.reach(timeout=timeout),
    ):
        with pytest.raises(ValueError, match="0 seconds or more"):
            await call


@in_virtual_time
async def test_names_that_no_message_can_carry_are_refused_before_anybody_is_asked() -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        for call in (
            client.get("g", SURROGATE),
            client.get(SURROGATE, "1"),
            client.remove("g", SURROGATE),
            client.remove(SURROGATE, "1"),
            client.flush(SURROGATE),
        ):
            with pytest.raises(InvalidKey):
                await call
        outcomes = await client.get_many("g", ["1", SURROGATE])
        assert isinstance(outcomes[SURROGATE], InvalidKey)
        assert isinstance(outcomes["1"], Value)
        assert len(nodes.take_asked()) == 1
        assert nodes.take_sent() == []


@in_virtual_time
async def test_no_key_is_not_removed() -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        with pytest.raises(KeyRequired):
            await client.remove("g", "")
        assert nodes.take_sent() == []


@in_virtual_time
async def test_a_key_named_twice_is_asked_for_once() -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        outcomes = await client.get_many("g", ["1", "2", "1", "1"])
        assert list(outcomes) == ["1", "2"]
        assert sorted(ask.key for _, ask in nodes.asked) == ["1", "2"]


@pytest.mark.parametrize("demand", list(Demand))
@in_virtual_time
async def test_what_a_caller_demands_is_asked_of_the_node_also_while_no_member_is_known(
    demand: Demand,
) -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        client.ask("g", "1", demand=demand, deadline=now() + 1, then=outcome.set_result)
        assert await outcome == Value(b"1", node=nodes.owners("1")[0])
        assert [ask.demand for _, ask in nodes.asked] == [demand]


@in_virtual_time
async def test_an_ask_that_comes_too_late_is_told_that_no_member_was_known_in_time() -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        client.ask("g", "1", deadline=now() - 1, then=outcome.set_result)
        assert isinstance(await outcome, PeerUnavailable)
        assert nodes.take_asked() == []


@in_virtual_time
async def test_who_has_reached_a_node_waits_for_no_other() -> None:
    nodes = FakeNodes(*FOUR)
    nodes.cut.add("a:1")
    nodes.silent.update(("b:1", "c:1"))
    async with nodes.client() as client:
        began = now()
        await client.reach(timeout=60)
        assert now() == began
        await settled()
        assert [timeout for _, timeout in nodes.under_way if timeout == 60] == []


@in_virtual_time
async def test_a_closed_client_asks_and_probes_nobody_any_more() -> None:
    nodes = FakeNodes(*FOUR)
    nodes.silent.add("a:1")
    client = nodes.client()
    waiting = [asyncio.create_task(client.get("g", str(key), timeout=60)) for key in range(20)]
    await settled()
    await client.aclose()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert any(isinstance(outcome, PeerUnavailable) for outcome in outcomes)
    assert all(isinstance(outcome, Value | PeerUnavailable) for outcome in outcomes)
    assert sorted(nodes.closed) == sorted(FOUR)
    assert nodes.under_way == []
    probes = len(nodes.probed)
    await after(60)
    assert len(nodes.probed) == probes


@in_virtual_time
async def test_a_call_without_a_deadline_is_sent_without_one() -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client(near_cache=MIB) as client:
        assert await client.flush("g", timeout=inf) == ()
        assert [timeout for _, _, timeout in nodes.sent] == [inf]


@in_virtual_time
async def test_many_keys_have_the_time_that_the_call_for_them_names() -> None:
    nodes = FakeNodes(*FOUR)
    nodes.silent.update(FOUR)
    async with nodes.client(timeout=5) as client:
        began = now()
        outcomes = await client.get_many("g", ["1", "2", "3"], timeout=0.5)
        assert now() - began == pytest.approx(0.5)
        assert [type(outcome) for outcome in outcomes.values()] == [DeadlineExceeded] * 3


@in_virtual_time
async def test_a_survey_and_a_check_have_the_time_that_they_name() -> None:
    nodes = FakeNodes(*FOUR)
    nodes.silent.update(FOUR)
    async with nodes.client(timeout=5) as client:
        began = now()
        infos = await client.describe(timeout=0.5)
        assert now() - began == pytest.approx(0.5)
        assert {name: type(info) for name, info in infos.items()} == dict.fromkeys(
            FOUR, DeadlineExceeded
        )
        began = now()
        with pytest.raises(PeerUnavailable, match="no node answers"):
            await client.reach(timeout=0.5)
        assert now() - began == pytest.approx(0.5)


@in_virtual_time
async def test_a_call_that_names_more_time_waits_longer_for_the_members() -> None:
    nodes = FakeNodes(*FOUR)
    nodes.known_after = 2
    async with nodes.client(timeout=1) as removing, nodes.client(timeout=1) as surveying:
        assert await removing.remove("g", "1", timeout=5) == ()
        assert list(await surveying.describe(timeout=5)) == list(FOUR)

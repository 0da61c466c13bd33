"""What calls, goodbyes and answers tell of a member, and when it is looked at again."""

import asyncio

import pytest
from fake_members import DRAINS, REFUSES, SERVES, FakeMembers
from fake_peer import ask
from monitored import N, Told, monitoring
from virtual_time import after, in_virtual_time

from cache_core.errors import PeerUnavailable
from cache_core.messages import Health, Probed


@in_virtual_time
async def test_a_failed_call_leaves_a_member_out_until_a_probe_soon_after(
    members: FakeMembers,
) -> None:
    told = Told()
    async with monitoring(members, told) as monitor:
        await after(0.5)
        monitor.fail("hung up")
        assert told.changes == [(Health.LEFT_OUT, "hung up")]
        await after(0.2)
        assert told.changes[1:] == [(Health.UP, "it answers")]


@in_virtual_time
async def test_many_failed_calls_leave_a_member_out_no_longer_than_one(
    members: FakeMembers,
) -> None:
    told = Told()
    async with monitoring(members, told) as monitor:
        await after(0.5)
        for _ in range(20):
            monitor.fail("hung up")
        await after(0.2)
    assert [health for health, _ in told.changes] == [Health.LEFT_OUT, Health.UP]


@in_virtual_time
async def test_a_suspected_member_is_probed_at_once(members: FakeMembers) -> None:
    async with monitoring(members) as monitor:
        await after(0.5)
        members[N].answer = REFUSES
        monitor.suspect()
        await after(0.01)
        assert monitor.health is Health.LEFT_OUT


@in_virtual_time
async def test_a_suspected_member_that_was_left_out_for_long_is_looked_at_often_again(
    members: FakeMembers,
) -> None:
    node = members[N]
    node.answer = REFUSES
    async with monitoring(members) as monitor:
        await after(30)
        probes = len(node.probes)
        monitor.suspect()
        await after(1)
        assert len(node.probes) - probes == 4  # at once, and after 0.1, 0.2 and 0.4 s


@in_virtual_time
async def test_to_look_again_is_to_wait_for_a_probe_that_begins_now(members: FakeMembers) -> None:
    node = members[N]
    node.delay = 1.0
    async with monitoring(members) as monitor:
        await after(0.5)
        now = asyncio.get_running_loop().time()
        monitor.look_again()  # while a probe runs
        await monitor.probed.wait()
        assert len(node.probes) == 2
        assert node.probes[-1] > now
        await after(0.5)
        monitor.look_again()  # while none does
        assert not monitor.probed.is_set()
        await monitor.probed.wait()
        assert len(node.probes) == 3


@in_virtual_time
async def test_a_member_that_does_not_answer_counts_as_probed_too(members: FakeMembers) -> None:
    members[N].answer = None
    async with monitoring(members) as monitor:
        await monitor.probed.wait()
        assert monitor.health is Health.LEFT_OUT


@in_virtual_time
async def test_a_member_that_said_goodbye_is_not_waited_for_while_it_still_answers(
    members: FakeMembers,
) -> None:
    told = Told()
    async with monitoring(members, told) as monitor:
        await after(0.5)
        members[N].answer = DRAINS
        monitor.drains()
        assert told.changes == [(Health.DRAINING, "it is leaving")]
        await after(5)
        assert (monitor.health, monitor.may_come_back) == (Health.DRAINING, False)
        members[N].answer = REFUSES
        await after(5)
        assert (monitor.health, monitor.may_come_back) == (Health.LEFT_OUT, True)
        assert monitor.said_goodbye


@in_virtual_time
async def test_a_goodbye_is_over_once_the_member_serves_again(members: FakeMembers) -> None:
    async with monitoring(members) as monitor:
        monitor.drains()
        await after(2)
        assert monitor.health is Health.UP
        assert not monitor.said_goodbye


@in_virtual_time
async def test_a_member_that_is_not_ready_yet_is_waited_for(members: FakeMembers) -> None:
    told = Told()
    members[N].answer = DRAINS
    async with monitoring(members, told) as monitor:
        await after(3)
        assert (monitor.health, monitor.may_come_back) == (Health.DRAINING, True)
        members[N].answer = SERVES
        await after(2)
        assert (monitor.health, monitor.may_come_back) == (Health.UP, False)
    assert told.changes == [
        (Health.DRAINING, "it is leaving or not ready"),
        (Health.UP, "it answers"),
    ]


@in_virtual_time
async def test_the_nodes_that_missed_a_removal_are_those_that_the_member_named_last(
    members: FakeMembers,
) -> None:
    async with monitoring(members) as monitor:
        for missed in (("a:1", "b:1"), ("b:1",), ()):
            members[N].answer = Probed(draining=False, ring=0, have_missed=missed)
            await after(2)
            assert monitor.have_missed == missed


@in_virtual_time
async def test_a_closed_monitor_probes_no_more_and_has_no_connection(members: FakeMembers) -> None:
    async with monitoring(members) as monitor:
        await after(3)
        waiting = ask(monitor.link, "a")
        await after(0.1)
    probes = len(members[N].probes)
    await after(10)
    assert len(members[N].probes) == probes
    assert members.connected == set()
    with pytest.raises(PeerUnavailable, match="was closed"):
        await waiting

"""When a member is left out and when it is back, by its answers to probes."""

import asyncio
import random

import pytest
from fake_members import REFUSES, ROUND_TRIP, SERVES, FakeMembers
from fake_peer import ask
from monitored import N, Told, monitoring
from virtual_time import after, in_virtual_time

from cache_core.errors import PeerUnavailable
from cache_core.messages import Health
from cache_core.value import Value


@in_virtual_time
async def test_a_member_that_serves_is_probed_each_second_and_nothing_changes(
    members: FakeMembers,
) -> None:
    told = Told()
    async with monitoring(members, told) as monitor:
        await after(10)
        assert members[N].pauses == [pytest.approx(1 + ROUND_TRIP)] * 9
        assert monitor.met
    assert told.changes == []
    assert told.unanswered == 0


@in_virtual_time
async def test_probes_of_many_fall_out_of_step(members: FakeMembers) -> None:
    async with monitoring(members, rng=random.Random(7)):
        await after(30)
        pauses = members[N].pauses
        assert min(pauses) < 0.9
        assert max(pauses) > 1.1
        assert all(0.8 <= pause <= 1.3 for pause in pauses)


@in_virtual_time
async def test_a_silent_member_is_left_out_and_comes_back_with_its_answer(
    members: FakeMembers,
) -> None:
    told = Told()
    members[N].answer = None
    async with monitoring(members, told) as monitor:
        await after(1.9)
        assert told.changes == []
        await after(0.2)
        assert monitor.health is Health.LEFT_OUT
        assert monitor.may_come_back
        await after(10)
        assert told.unanswered > 2
        assert not monitor.met
        members[N].answer = SERVES
        await after(10)
    silent = (Health.LEFT_OUT, f"node {N} did not answer")
    assert told.changes == [silent, (Health.UP, "it answers")]


@in_virtual_time
async def test_a_member_that_does_not_answer_is_probed_ever_more_seldom(
    members: FakeMembers,
) -> None:
    members[N].answer = REFUSES
    async with monitoring(members):
        await after(25)
    rounded = [round(pause - ROUND_TRIP, 6) for pause in members[N].pauses]
    assert rounded == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


@in_virtual_time
async def test_a_member_that_serves_again_for_a_while_is_forgiven(members: FakeMembers) -> None:
    node = members[N]
    node.answer = REFUSES
    async with monitoring(members) as monitor:
        await after(2)
        node.answer = SERVES
        await after(10)
        monitor.fail("hung up")
        failed = asyncio.get_running_loop().time()
        await after(1)
        assert next(at for at in node.probes if at > failed) == pytest.approx(failed + 0.1)


@in_virtual_time
async def test_a_member_that_comes_and_goes_is_left_out_for_longer_each_time(
    members: FakeMembers,
) -> None:
    node = members[N]
    async with monitoring(members) as monitor:
        await monitor.probed.wait()
        pauses = []
        for _ in range(5):
            monitor.fail("hung up")
            failed = asyncio.get_running_loop().time()
            while monitor.health is not Health.UP:
                await after(0.01)
            pauses.append(round(node.probes[-1] - failed, 2))
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6]


@in_virtual_time
async def test_a_member_is_not_blamed_for_a_stall_of_the_prober(members: FakeMembers) -> None:
    told = Told()
    node = members[N]
    node.answer, node.silence = None, 3.1
    async with monitoring(members, told) as monitor:
        waiting = ask(monitor.link, "a")
        await after(3)
        node.answer = SERVES
        await after(0.2)
        assert len(node.probes) == 2  # it is given another chance at once
        assert told.changes == []
        assert not waiting.done()
        waiting.cancel()


@in_virtual_time
async def test_a_busy_member_that_answers_others_is_not_left_out(members: FakeMembers) -> None:
    told = Told()
    node = members[N]
    node.answer = None
    async with monitoring(members, told) as monitor:
        quick, slow = ask(monitor.link, "quick"), ask(monitor.link, "slow")
        await after(1)
        node.asks[0].settle(Value(b"1"))
        await after(2)
        assert told.changes == []
        assert not slow.done()
        await after(2)  # and now it has answered nobody for a whole probe
        assert monitor.health is Health.LEFT_OUT
        assert (await quick).data == b"1"
        with pytest.raises(PeerUnavailable, match=f"node {N} is left out: .* did not answer"):
            await slow


@in_virtual_time
async def test_who_waits_for_a_silent_member_waits_no_longer_than_its_probe(
    members: FakeMembers,
) -> None:
    members[N].answer = None
    async with monitoring(members) as monitor:
        waiting = ask(monitor.link, "a")
        await after(2.1)
        assert waiting.done()
        with pytest.raises(PeerUnavailable, match=f"node {N} is left out"):
            await waiting


@in_virtual_time
async def test_a_member_that_hangs_up_is_left_out_whatever_it_answered_just_before(
    members: FakeMembers,
) -> None:
    node = members[N]
    node.answer, node.delay = REFUSES, 1.0
    async with monitoring(members) as monitor:
        answered = ask(monitor.link, "a")
        await after(0.5)
        node.asks[0].settle(Value(b"1"))
        await answered
        await after(0.6)
        assert monitor.health is Health.LEFT_OUT


@in_virtual_time
async def test_since_when_a_member_has_been_left_out_is_known(members: FakeMembers) -> None:
    async with monitoring(members) as monitor:
        await after(3)
        members[N].answer = REFUSES
        monitor.fail("hung up")
        since = asyncio.get_running_loop().time()
        await after(30)
        assert monitor.left_out_since == since

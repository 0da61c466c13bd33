"""Nodes that left the membership: how long they stay known, and when they are forgotten."""

from fake_members import DRAINS, REFUSES, SERVES, FakeMembers
from virtual_time import after, in_virtual_time

from cache_core.cluster.peers import REFUSE_SECONDS
from cache_core.messages import Health

A, B, C = "a:1", "b:1", "c:1"


@in_virtual_time
async def test_a_former_member_is_known_while_it_answers(members: FakeMembers) -> None:
    async with members.peers(A, B) as peers:
        members.tell(A)
        await after(500)
        assert set(peers.others()) == {A, B}
        assert members.forgotten == []


@in_virtual_time
async def test_a_former_member_that_vanished_is_told_of_removals_for_a_minute(
    members: FakeMembers,
) -> None:
    async with members.peers(A, B) as peers:
        members.tell(A)
        members[B].answer = REFUSES
        peers.failed(B, REFUSES)
        await after(59)
        assert set(peers.others()) == {A, B}
        assert members.forgotten == []
        await after(8)
        assert peers.others() == (A,)
        assert members.forgotten == [B]
        assert members.connected == {A}
        assert peers.health(B) is Health.LEFT_OUT
        probes = len(members[B].probes)
        peers.failed(B, REFUSES)  # a call that began before it was forgotten
        await after(10)
        assert peers.others() == (A,)
        assert len(members[B].probes) == probes


@in_virtual_time
async def test_a_former_member_that_said_goodbye_is_soon_forgotten_without_more_ado(
    members: FakeMembers,
) -> None:
    async with members.peers(A, B) as peers:
        members.tell(A)
        peers.drains(B)
        members[B].answer = DRAINS
        await after(30)
        assert set(peers.others()) == {A, B}  # it still serves
        members[B].answer = REFUSES
        await after(14)
        assert set(peers.others()) == {A, B}
        await after(8)
        assert peers.others() == (A,)
        assert members.forgotten == []


@in_virtual_time
async def test_a_member_is_never_forgotten_however_long_it_is_away(members: FakeMembers) -> None:
    async with members.peers(A, B) as peers:
        members[B].answer = REFUSES
        await after(600)
        assert set(peers.others()) == {A, B}
        members[B].answer = SERVES
        await after(6)
        assert peers.health(B) is Health.UP
        assert members.forgotten == []


@in_virtual_time
async def test_a_node_that_others_told_of_is_known_and_forgotten_as_a_former_member(
    members: FakeMembers,
) -> None:
    async with members.peers(A) as peers:
        peers.meet([B])
        await peers.probed()
        assert set(peers.answering()) == {A, B}
        assert peers.owner("key") == A
        members[B].answer = REFUSES
        await after(70)
        assert members.forgotten == [B]


@in_virtual_time
async def test_a_forgotten_node_stays_so_while_a_node_that_heard_of_it_late_tells_of_it(
    members: FakeMembers,
) -> None:
    late = FakeMembers()
    members[C].answer = late[C].answer = None
    async with members.peers(A, C, me=A) as peers, late.peers(A, B, me=B) as others:
        members.tell(A, B)
        while C in peers.others():
            await after(0.1)
        others.meet_unreached([C])  # as the first node said just before it forgot it
        while C in others.others():
            peers.meet_unreached([C])
            await after(0.1)
            assert C not in peers.others()


@in_virtual_time
async def test_a_forgotten_node_is_known_again_once_a_node_told_of_it_long_after(
    members: FakeMembers,
) -> None:
    async with members.peers(A) as peers:
        peers.meet_unreached([B])
        members[B].answer = REFUSES
        while B in peers.others():
            await after(0.1)
        await after(REFUSE_SECONDS)
        peers.meet_unreached([A, B])
        assert set(peers.others()) == {A, B}


@in_virtual_time
async def test_a_forgotten_node_that_a_node_has_reached_is_known_again_at_once(
    members: FakeMembers,
) -> None:
    async with members.peers(A) as peers:
        peers.meet([B])
        members[B].answer = REFUSES
        while B in peers.others():
            await after(0.1)
        peers.meet([B])
        assert set(peers.others()) == {A, B}

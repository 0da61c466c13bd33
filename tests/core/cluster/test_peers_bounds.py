"""What Peers keeps of nodes that are gone, and what it says of members."""

import asyncio

from fake_members import DRAINS, REFUSES, FakeMembers
from named import Named
from virtual_time import after, in_virtual_time

from cache_core.cluster.member import Member
from cache_core.cluster.peers import FORGET_SECONDS, MOST_STRANGERS, REFUSE_SECONDS
from cache_core.cluster.ring import Ring
from cache_core.errors import PeerUnavailable
from cache_core.events import MemberLeftOut, MembersChanged

A, B = "a:1", "b:1"


@in_virtual_time
async def test_nodes_that_were_forgotten_long_ago_take_no_memory(members: FakeMembers) -> None:
    named = Named()
    async with members.peers(A, me=A) as peers:

        async def come_and_go(number: int) -> None:
            name = named.give(f"gone:{number}")
            members[name].answer = PeerUnavailable("connection refused")
            peers.meet([name])
            await after(FORGET_SECONDS + 10)
            assert peers.others() == ()
            for kept in (members.nodes, members.events, members.forgotten):
                kept.clear()

        await come_and_go(1)
        await after(REFUSE_SECONDS)
        for number in (2, 3):
            await come_and_go(number)
        assert not named.is_held("gone:1")


@in_virtual_time
async def test_a_member_that_dies_while_it_is_not_ready_is_told_of_with_alarm(
    members: FakeMembers,
) -> None:
    members[B].answer = DRAINS
    async with members.peers(A, B, me=A):
        members[B].answer = REFUSES
        await after(2)
        (event,) = [each for each in members.take_events() if isinstance(each, MemberLeftOut)]
        assert event.alarming


@in_virtual_time
async def test_a_lone_members_ring_is_told_too(members: FakeMembers) -> None:
    async with members.peers(me=A) as peers:
        members.tell(A)
        await peers.known()
        await asyncio.sleep(0)
        assert members.events == [MembersChanged((A,), Ring([Member(A)]).version)]


@in_virtual_time
async def test_no_more_than_a_thousand_strangers_are_known(members: FakeMembers) -> None:
    async with members.peers(A, B, me=A) as peers:
        peers.meet(f"made.up:{number}" for number in range(2 * MOST_STRANGERS))
        assert MOST_STRANGERS <= len(peers.others()) <= MOST_STRANGERS + 2
        assert B in peers.others()

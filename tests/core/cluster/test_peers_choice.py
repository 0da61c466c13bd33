"""Which member is asked for a key, by what is known of each."""

import asyncio

import pytest
from fake_members import DRAINS, REFUSES, SERVES, FakeMembers, owners
from virtual_time import after, in_virtual_time

from cache_core.cluster.member import Member
from cache_core.cluster.ring import Ring
from cache_core.errors import PeerUnavailable
from cache_core.events import MemberBack, MemberLeftOut, MembersChanged
from cache_core.messages import Health

A, B, C = "a:1", "b:1", "c:1"
KEYS = [f"key/{number}" for number in range(60)]
ALL = {A, B, C}


@in_virtual_time
async def test_each_key_is_asked_of_its_owner_in_the_ring(members: FakeMembers) -> None:
    async with members.peers(A, B, C) as peers:
        ring = Ring(map(Member, ALL))
        assert [peers.owner(key) for key in KEYS] == [ring.owner(key) for key in KEYS]
        assert [list(peers.owners(key)) for key in KEYS] == [list(ring.owners(key)) for key in KEYS]


@in_virtual_time
async def test_keys_of_a_member_that_is_left_out_go_to_the_next_until_it_is_back(
    members: FakeMembers,
) -> None:
    async with members.peers(A, B, C) as peers:
        whole = [list(peers.owners(key)) for key in KEYS]
        peers.failed(B, PeerUnavailable("hung up"))
        assert peers.health(B) is Health.LEFT_OUT
        assert peers.answering() == (A, C)
        for key, names in zip(KEYS, whole, strict=True):
            left = [name for name in names if name != B]
            assert peers.owner(key) == left[0]
            assert list(peers.owners(key)) == left
        await after(1)
        assert [list(peers.owners(key)) for key in KEYS] == whole
        back = [MemberLeftOut(B, "hung up", alarming=True), MemberBack(B)]
        assert members.take_events() == back


@in_virtual_time
async def test_a_draining_member_is_asked_only_where_none_serves(members: FakeMembers) -> None:
    async with members.peers(A, B, C) as peers:
        members[A].answer = DRAINS
        peers.drains(A)
        assert owners(peers, KEYS) == {B, C}
        assert peers.answering() == (A, B, C)
        for name in (B, C):
            members[name].answer = REFUSES
            peers.failed(name, REFUSES)
        assert owners(peers, KEYS) == {A}
        await after(1)
        members[A].answer = REFUSES
        await after(2)
        assert owners(peers, KEYS) == ALL  # a wrong guess about all of them costs least


@in_virtual_time
async def test_a_draining_member_that_serves_again_is_told_of(members: FakeMembers) -> None:
    async with members.peers(A, B) as peers:
        members[A].answer = DRAINS
        peers.drains(A)
        await after(3)
        assert members.take_events() == []
        members[A].answer = SERVES
        await after(2)
        assert members.take_events() == [MemberBack(A)]
        assert owners(peers, KEYS) == {A, B}


@in_virtual_time
async def test_a_member_that_was_not_ready_at_first_is_asked_once_it_is(
    members: FakeMembers,
) -> None:
    members[B].answer = DRAINS
    async with members.peers(A, B) as peers:
        assert owners(peers, KEYS) == {A}
        members[B].answer = SERVES
        await after(2)
        assert owners(peers, KEYS) == {A, B}


@in_virtual_time
async def test_a_suspected_member_is_left_out_as_soon_as_its_probe_fails(
    members: FakeMembers,
) -> None:
    async with members.peers(A, B) as peers:
        await after(0.2)
        members[B].answer = REFUSES
        peers.suspect(B)
        assert peers.health(B) is Health.UP
        await after(0.01)
        assert peers.health(B) is Health.LEFT_OUT


@in_virtual_time
async def test_a_node_owns_nothing_while_it_leaves_unless_it_is_the_last(
    members: FakeMembers,
) -> None:
    async with members.peers(A, B, me=A) as peers:
        assert owners(peers, KEYS) == {A, B}
        peers.leave()
        assert peers.health(A) is Health.DRAINING
        assert owners(peers, KEYS) == {B}
        members[B].answer = REFUSES
        peers.failed(B, REFUSES)
        assert owners(peers, KEYS) == {A}


@in_virtual_time
async def test_a_node_that_has_left_and_joins_again_owns_its_keys_again(
    members: FakeMembers,
) -> None:
    async with members.peers(A, B, me=A) as peers:
        peers.leave()
        await peers.aclose()
        members.tell(A, B)
        peers.follow(members.watch())
        await peers.known()
        assert peers.health(A) is Health.UP
        assert owners(peers, KEYS) == {A, B}


@in_virtual_time
async def test_new_members_own_keys_and_former_ones_none(members: FakeMembers) -> None:
    async with members.peers(A, B) as peers:
        members.tell(B, C)
        await after(0)
        assert owners(peers, KEYS) == {B, C}
        ring = Ring([Member(B), Member(C)])
        assert members.take_events() == [MembersChanged((B, C), ring.version)]


@in_virtual_time
async def test_why_a_member_is_left_out_alarms_only_where_it_is_unexpected(
    members: FakeMembers,
) -> None:
    members[A].answer = REFUSES
    members.tell(A, B, C)
    async with members.peers() as peers:
        await peers.known()
        await peers.probed()
        members[B].answer = DRAINS
        peers.drains(B)
        await after(2)
        for name in (B, C):
            members[name].answer = REFUSES
        await after(2)
        left_out = {event for event in members.events if isinstance(event, MemberLeftOut)}
    assert left_out == {
        MemberLeftOut(A, "connection refused", alarming=False),  # it never answered
        MemberLeftOut(B, "connection refused", alarming=False),  # it said that it was leaving
        MemberLeftOut(C, "connection refused", alarming=True),
    }


@in_virtual_time
async def test_no_member_is_asked_before_any_is_known(members: FakeMembers) -> None:
    async with members.peers() as peers:
        assert peers.owner("a") is None
        assert list(peers.owners("a")) == []
        waiting = asyncio.create_task(peers.known())
        await after(10)
        assert not waiting.done()
        members.tell(A)
        await waiting
        assert peers.are_known
        assert peers.owner("a") == A


@in_virtual_time
async def test_members_are_told_by_name_with_weight_health_and_share(members: FakeMembers) -> None:
    async with members.peers(B, f"{A}*3", me=A) as peers:
        peers.failed(B, REFUSES)
        one, two = peers.infos()
        assert (one.node, one.weight, one.health) == (A, 3, Health.UP)
        assert (two.node, two.weight, two.health) == (B, 1, Health.LEFT_OUT)
        assert two.share == pytest.approx(0.25, abs=0.03)
        assert one.share + two.share == pytest.approx(1)

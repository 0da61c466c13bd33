"""Which nodes are known and connected, for how long, and who waits for them."""

import asyncio

import pytest
from fake_members import DRAINS, REFUSES, SERVES, FakeMembers
from fake_peer import ask
from virtual_time import after, in_virtual_time

from cache_core.cluster.member import Member
from cache_core.cluster.peer import Peer, Watching
from cache_core.cluster.ring import Ring
from cache_core.errors import PeerUnavailable
from cache_core.messages import Health, Probed
from cache_core.value import Demand, Then

A, B, C = "a:1", "b:1", "c:1"


@in_virtual_time
async def test_a_node_never_contacts_itself(members: FakeMembers) -> None:
    async with members.peers(A, B, me=A) as peers:
        peers.meet([A, B, C])
        await peers.all_back()
        assert set(peers.others()) == {B, C}
        assert members.connected == {B, C}


@in_virtual_time
async def test_the_nodes_that_missed_a_removal_are_those_that_any_node_names(
    members: FakeMembers,
) -> None:
    members[A].answer = Probed(draining=False, ring=0, have_missed=(C, "d:1"))
    members[B].answer = Probed(draining=True, ring=0, have_missed=(C, "e:1"))
    async with members.peers(A, B) as peers:
        assert peers.have_missed() == {C, "d:1", "e:1"}
        members[A].answer = SERVES
        await after(2)
        assert peers.have_missed() == {C, "e:1"}


@in_virtual_time
async def test_one_member_alone_has_no_ring_to_agree_on(members: FakeMembers) -> None:
    async with members.peers(A) as peers:
        assert peers.version == 0
        members.tell(A, B)
        await after(0)
        assert peers.version == Ring(map(Member, (A, B))).version


@in_virtual_time
async def test_an_ask_says_the_ring_of_the_moment_at_which_it_leaves(members: FakeMembers) -> None:
    async with members.peers(A) as peers:
        link = peers.link(A)
        waiting = [ask(link, "before")]
        await after(1)
        members.tell(A, B)
        await after(0)
        waiting.append(ask(link, "after"))
        await after(1)
        assert members[A].rings == [0, Ring(map(Member, (A, B))).version]
    await asyncio.wait(waiting)
    assert all(isinstance(one.exception(), PeerUnavailable) for one in waiting)


@in_virtual_time
async def test_who_waits_for_probes_waits_for_nodes_that_become_known_meanwhile(
    members: FakeMembers,
) -> None:
    async with members.peers(A) as peers:
        members[B].delay = members[C].delay = 1.0
        peers.meet([B])
        waiting = asyncio.create_task(peers.probed())
        await after(0.5)
        peers.meet([C])
        await after(0.6)
        assert not waiting.done()
        await after(0.5)
        assert waiting.done()


@in_virtual_time
async def test_waiting_for_all_to_be_back_probes_them_often_and_not_too_often(
    members: FakeMembers,
) -> None:
    members[B].answer = REFUSES
    async with members.peers(A, B) as peers:
        await after(60)
        probes = len(members[B].probes)
        waiting = asyncio.create_task(peers.all_back())
        await after(3)
        assert not waiting.done()
        assert 25 < len(members[B].probes) - probes < 75
        members[B].answer = SERVES
        await after(0.3)
        assert waiting.done()
        assert peers.health(B) is Health.UP


@in_virtual_time
async def test_nobody_waits_for_a_leaving_member_to_be_back(members: FakeMembers) -> None:
    async with members.peers(A, B) as peers:
        members[A].answer = DRAINS
        peers.drains(A)
        await after(2)
        await asyncio.wait_for(peers.all_back(), 1)


class FakeWatching:
    """A watch that passes answers on, and notes that it is closed."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.closed = False

    def keeping(self, _group: str, key: str, _demand: Demand, then: Then) -> Then:
        self.kept.append(key)
        return then

    async def aclose(self) -> None:
        self.closed = True


@in_virtual_time
async def test_each_connection_has_the_watch_that_is_made_for_it(members: FakeMembers) -> None:
    watches: dict[Peer, FakeWatching] = {}

    def watch(peer: Peer) -> Watching:
        return watches.setdefault(peer, FakeWatching())

    async with members.peers(A, B, watch=watch) as peers:
        waiting = ask(peers.link(B), "key")
        await after(1)
        kept = {peer.name: made.kept for peer, made in watches.items()}  # type: ignore[attr-defined]
        assert kept == {A: [], B: ["key"]}
    assert all(made.closed for made in watches.values())
    assert await asyncio.gather(waiting, return_exceptions=True)


@in_virtual_time
async def test_once_closed_no_node_is_probed_known_or_contacted(members: FakeMembers) -> None:
    async with members.peers(A, B) as peers:
        waiting = ask(peers.link(A), "key")
        await after(1)
        await peers.aclose()
        with pytest.raises(PeerUnavailable, match="was closed"):
            await waiting
        assert members.connected == set()
        assert peers.others() == ()
        for forbidden in (peers.link, peers.suspect, peers.drains, lambda name: peers.meet([name])):
            with pytest.raises(PeerUnavailable, match=f"the connection to node {C} was closed"):
                forbidden(C)
        peers.failed(A, REFUSES)
        probes = len(members[A].probes)
        await after(10)
        assert len(members[A].probes) == probes
        assert members.connected == set()


@in_virtual_time
async def test_a_close_waits_for_the_connections_to_forgotten_nodes(members: FakeMembers) -> None:
    members[B].closing = 20.0
    async with members.peers(A, B) as peers:
        members.tell(A)
        members[B].answer = REFUSES
        peers.failed(B, REFUSES)
        while B in peers.others():
            await after(0.1)
        assert members.connected == {A, B}
    assert members.connected == set()


@in_virtual_time
async def test_closing_ends_every_wait_for_members(members: FakeMembers) -> None:
    async with members.peers() as peers:
        waiting = asyncio.create_task(peers.known())
        await after(1)
        await peers.aclose()
        await asyncio.wait_for(waiting, 1)


@in_virtual_time
async def test_who_follows_again_after_a_close_knows_nobody_until_told(
    members: FakeMembers,
) -> None:
    async with members.peers(A) as peers:
        await peers.aclose()
        peers.follow(members.watch())
        waiting = asyncio.create_task(peers.known())
        await after(10)
        assert not waiting.done()
        assert not peers.are_known
        members.tell(A, B)
        await waiting
        await peers.probed()
        assert set(peers.answering()) == {A, B}
        assert members.connected == {A, B}

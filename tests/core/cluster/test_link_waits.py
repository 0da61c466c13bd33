"""Asks of a node that have not left, or have not returned, when the node is left out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from fake_peer import FakePeer, ask, link_to
from fakes import settled

from cache_core.cluster.link import Link
from cache_core.errors import PeerUnavailable
from cache_core.value import Value


@pytest.fixture
def peer() -> FakePeer:
    return FakePeer()


@pytest.fixture
async def link(peer: FakePeer) -> AsyncIterator[Link]:
    async with aclosing(link_to(peer)) as link:
        yield link


async def test_a_call_that_does_not_return_soon_holds_up_nobody(link: Link, peer: FakePeer) -> None:
    slow = ask(link, "slow")
    await settled()
    quick = ask(link, "quick")
    assert [(await peer.arrived.get())[0].key for _ in range(2)] == ["slow", "quick"]
    peer.batches[1][0].settle(Value(b"1"))
    assert (await quick).data == b"1"
    assert not slow.done()
    slow.cancel()


async def test_failing_the_link_ends_those_who_wait_and_those_who_have_not_left(
    link: Link, peer: FakePeer
) -> None:
    waiting = [ask(link, "a")]
    await settled()
    waiting.append(ask(link, "not left"))
    await asyncio.sleep(0)
    link.fail("left out")
    for one in waiting:
        with pytest.raises(PeerUnavailable, match="left out"):
            await one
    assert len(peer.batches) == 1


async def test_a_node_left_out_in_the_turn_in_which_it_is_asked_ends_that_ask_alone(
    link: Link, peer: FakePeer
) -> None:
    given_up = ask(link, "a")
    await settled()
    given_up.cancel()
    late = ask(link, "b")
    await asyncio.sleep(0)
    link.fail("node n is left out")
    with pytest.raises(PeerUnavailable, match="node n is left out"):
        await late
    assert peer.keys == [["a"]]

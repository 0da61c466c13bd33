"""Which call of a link waits for the one before it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import uvloop
from fake_peer import FakePeer, ask, link_to
from fakes import settled

from cache_core.cluster.link import Link
from cache_core.errors import PeerUnavailable
from cache_core.value import Answer, Value


@pytest.fixture
def peer() -> FakePeer:
    return FakePeer()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Links made from now on wait for what is under way, however slow the machine is."""
    for name in ("LEAST_SECONDS", "MOST_SECONDS"):
        monkeypatch.setattr(f"cache_core.cluster.latency.{name}", 60.0)


@pytest.fixture
async def link(peer: FakePeer) -> AsyncIterator[Link]:
    async with aclosing(link_to(peer)) as link:
        yield link


@pytest.mark.usefixtures("patient")
async def test_keys_of_one_turn_go_in_one_call_and_later_ones_once_that_begins_to_return(
    link: Link, peer: FakePeer
) -> None:
    first = [ask(link, "a"), ask(link, "b")]
    await settled()
    second = [ask(link, "c"), ask(link, "d")]
    await settled()
    assert [[one.key for one in batch] for batch in peer.batches] == [["a", "b"]]
    peer.batches[0][1].settle(Value(b"b"))
    await settled()
    assert [[one.key for one in batch] for batch in peer.batches] == [["a", "b"], ["c", "d"]]
    for batch in peer.batches:
        for one in batch:
            one.settle(Value(one.key.encode()))
    peer.leave.set()
    found = [value.data for value in await asyncio.gather(*first, *second)]
    assert found == [b"a", b"b", b"c", b"d"]


async def test_a_call_that_does_not_return_soon_holds_up_nobody(link: Link, peer: FakePeer) -> None:
    slow = ask(link, "slow")
    await settled()
    quick = ask(link, "quick")
    assert [(await peer.arrived.get())[0].key for _ in range(2)] == ["slow", "quick"]
    peer.batches[1][0].settle(Value(b"1"))
    assert (await quick).data == b"1"
    assert not slow.done()
    slow.cancel()


@pytest.mark.usefixtures("patient")
async def test_who_has_little_time_is_not_held_back(link: Link, peer: FakePeer) -> None:
    gets = [ask(link, "first")]
    await settled()
    gets.append(ask(link, "in a hurry", timeout=30))
    await settled()
    assert [[one.key for one in batch] for batch in peer.batches] == [["first"], ["in a hurry"]]
    for get in gets:
        get.cancel()


@pytest.mark.usefixtures("patient")
async def test_who_is_held_back_leaves_with_one_who_has_little_time(
    link: Link, peer: FakePeer
) -> None:
    gets = [ask(link, "first")]
    await settled()
    gets.append(ask(link, "held back"))
    await settled()
    gets.append(ask(link, "in a hurry", timeout=30))
    await settled()
    assert [one.key for one in peer.batches[1]] == ["held back", "in a hurry"]
    for get in gets:
        get.cancel()


def test_who_comes_while_a_wait_is_all_but_over_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, peer: FakePeer
) -> None:
    """uvloop, whose clock ticks in milliseconds, makes no timer of what is due within this one."""
    monkeypatch.setattr("cache_core.cluster.latency.LEAST_SECONDS", 0.0004)

    async def ask_in_a_row() -> None:
        link = link_to(peer)
        gets = [ask(link, "first")]
        await settled()
        for key in ("second", "third"):
            gets.append(ask(link, key))
            await asyncio.sleep(0)
        await settled()
        assert [one.key for batch in peer.batches for one in batch] == ["first", "second", "third"]
        await link.aclose()
        await asyncio.gather(*gets, return_exceptions=True)

    uvloop.run(ask_in_a_row())


class FakeLatency:
    """A Latency that is patient for ever once it has been told of an answer."""

    def __init__(self) -> None:
        self.answers = 0
        self.patience = 0.0

    def took(self, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.answers += 1
        self.patience = 60.0


@pytest.mark.parametrize(("answer", "count"), [(Answer.HIT, 1), (Answer.MISS, 0)])
async def test_only_answers_from_memory_tell_how_fast_the_node_is(
    monkeypatch: pytest.MonkeyPatch, peer: FakePeer, answer: Answer, count: int
) -> None:
    latency = FakeLatency()
    monkeypatch.setattr("cache_core.cluster.link.Latency", lambda: latency)
    link = link_to(peer)
    gets = [ask(link, "a"), ask(link, "b")]
    await settled()
    for one in peer.batches[0]:
        one.settle(Value(b"1", answer=answer))
    await asyncio.gather(*gets)
    assert latency.answers == count
    gets = [ask(link, "c")]
    await settled()
    gets.append(ask(link, "d"))
    await settled()
    assert len(peer.batches) == (2 if count else 3)  # the last waits, where the link has learnt
    for get in gets:
        get.cancel()
    await link.aclose()


@pytest.mark.usefixtures("patient")
async def test_failing_the_link_ends_the_wait_of_those_who_have_not_left(
    link: Link, peer: FakePeer
) -> None:
    waiting = [ask(link, "a")]
    await settled()
    waiting.append(ask(link, "held back"))
    await asyncio.sleep(0)
    link.fail("left out")
    for one in waiting:
        with pytest.raises(PeerUnavailable, match="left out"):
            await one
    assert len(peer.batches) == 1


@pytest.mark.usefixtures("patient")
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

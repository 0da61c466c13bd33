import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from fake_peer import FakePeer, ask, link_to
from fakes import settled

from cache_core.cluster.link import Link
from cache_core.errors import DeadlineExceeded, NotFound
from cache_core.trace import Trace, current_trace
from cache_core.value import Answer, Demand, Value


@pytest.fixture
def peer() -> FakePeer:
    return FakePeer()


@pytest.fixture
async def link(peer: FakePeer) -> AsyncIterator[Link]:
    async with aclosing(link_to(peer)) as link:
        yield link


async def test_a_key_that_several_ask_for_in_one_turn_is_asked_for_once(
    link: Link, peer: FakePeer
) -> None:
    waiting = [ask(link, "hot"), ask(link, "other"), ask(link, "hot"), ask(link, "hot")]
    await settled()
    assert peer.keys == [["hot", "other"]]
    hot, other = peer.batches[0]
    hot.settle(Value(b"1", answer=Answer.HIT))
    other.settle(Value(b"2", answer=Answer.HIT))
    peer.leave.set()
    assert [(await one).data for one in waiting] == [b"1", b"2", b"1", b"1"]


@pytest.mark.parametrize("answer", [Answer.MISS, Answer.RELOAD])
async def test_what_is_loaded_for_the_first_is_collapsed_for_the_others(
    link: Link, peer: FakePeer, answer: Answer
) -> None:
    first, second = ask(link, "hot"), ask(link, "hot")
    await settled()
    peer.batches[0][0].settle(Value(b"1", answer=answer))
    peer.leave.set()
    assert ((await first).answer, (await second).answer) == (answer, Answer.COLLAPSED)


async def test_what_is_held_is_a_hit_for_all(link: Link, peer: FakePeer) -> None:
    first, second = ask(link, "hot"), ask(link, "hot")
    await settled()
    peer.batches[0][0].settle(Value(b"1", answer=Answer.HIT))
    peer.leave.set()
    assert ((await first).answer, (await second).answer) == (Answer.HIT, Answer.HIT)


async def test_an_error_is_that_of_all_who_asked(link: Link, peer: FakePeer) -> None:
    first, second = ask(link, "hot"), ask(link, "hot")
    await settled()
    peer.batches[0][0].settle(NotFound("hot not exist"))
    peer.leave.set()
    for one in (first, second):
        with pytest.raises(NotFound, match="hot not exist"):
            await one


async def test_asks_that_differ_in_more_than_their_waiters_are_each_asked(
    link: Link, peer: FakePeer
) -> None:
    def differently() -> list[asyncio.Task[Value]]:
        alike = [
            ask(link, "key"),
            ask(link, "key", group="other"),
            ask(link, "key", demand=Demand.NEW),
            ask(link, "key", forwarded=True),
        ]
        token = current_trace.set(Trace("00-1-1-01"))
        alike.append(ask(link, "key"))
        current_trace.reset(token)
        return alike

    twice = differently(), differently()
    await settled()
    assert len(peer.batches[0]) == 5
    for number, asked in enumerate(peer.batches[0]):
        asked.settle(Value(b"%d" % number))
    peer.leave.set()
    for waiting in twice:
        assert [(await one).data for one in waiting] == [b"0", b"1", b"2", b"3", b"4"]


async def test_who_gives_up_takes_no_answer_from_the_others(link: Link, peer: FakePeer) -> None:
    first, second, third = ask(link, "hot"), ask(link, "hot"), ask(link, "hot")
    await settled()
    first.cancel()
    await settled()
    assert peer.cancelled == 0
    assert not peer.batches[0][0].is_settled
    peer.batches[0][0].settle(Value(b"1"))
    peer.leave.set()
    assert [(await one).data for one in (second, third)] == [b"1", b"1"]


async def test_a_call_ends_when_all_who_asked_for_its_one_key_gave_up(
    link: Link, peer: FakePeer
) -> None:
    first, second = ask(link, "hot"), ask(link, "hot")
    await settled()
    first.cancel()
    second.cancel()
    await settled()
    assert peer.cancelled == 1
    assert peer.batches[0][0].is_settled


async def test_each_is_waited_for_until_its_own_deadline(link: Link, peer: FakePeer) -> None:
    patient, hurried = ask(link, "hot"), ask(link, "hot", timeout=0.001)
    with pytest.raises(DeadlineExceeded):
        await hurried
    peer.batches[0][0].settle(Value(b"1"))
    peer.leave.set()
    assert (await patient).data == b"1"
    assert peer.timeouts[0] > 0.5

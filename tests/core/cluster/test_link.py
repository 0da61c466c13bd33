import asyncio
import gc
import time

import pytest
from fake_peer import FakePeer, ask, link_to
from fakes import settled

from cache_core.cluster.link import Link
from cache_core.errors import DeadlineExceeded, NotFound, PeerUnavailable, UnexpectedStatus
from cache_core.trace import Trace, current_trace
from cache_core.value import Value


@pytest.fixture
def peer() -> FakePeer:
    return FakePeer()


@pytest.fixture
def link(peer: FakePeer) -> Link:
    return link_to(peer)


async def test_a_value_is_not_held_until_the_rest_of_its_call_has_come(
    link: Link, peer: FakePeer
) -> None:
    quick, slow = ask(link, "quick"), ask(link, "slow")
    await settled()
    first, second = peer.batches[0]
    large = Value(b"large")
    first.settle(large)
    assert (await quick).data == b"large"
    assert large not in gc.get_referents(first)
    second.settle(Value(b"last"))
    assert (await slow).data == b"last"
    peer.leave.set()


async def test_an_outcome_is_known_before_the_rest_of_its_call(link: Link, peer: FakePeer) -> None:
    quick, slow = ask(link, "quick"), ask(link, "slow")
    await settled()
    peer.batches[0][0].settle(NotFound("quick not exist"))
    with pytest.raises(NotFound, match="quick not exist"):
        await quick
    assert not slow.done()
    peer.batches[0][1].settle(Value(b"1"))
    assert (await slow).data == b"1"


async def test_an_error_of_the_call_is_that_of_the_keys_without_an_outcome(
    link: Link, peer: FakePeer
) -> None:
    peer.error = PeerUnavailable("gone")
    known, unknown = ask(link, "known"), ask(link, "unknown")
    await settled()
    peer.batches[0][0].settle(Value(b"1"))
    peer.leave.set()
    assert (await known).data == b"1"
    with pytest.raises(PeerUnavailable, match="gone"):
        await unknown


async def test_a_key_that_is_left_unanswered_is_an_error(link: Link, peer: FakePeer) -> None:
    peer.leave.set()
    with pytest.raises(UnexpectedStatus, match="unanswered"):
        await ask(link, "a")


async def test_a_call_ends_when_nobody_waits_for_its_keys(link: Link, peer: FakePeer) -> None:
    one, two = ask(link, "a"), ask(link, "b")
    await settled()
    one.cancel()
    await settled()
    assert peer.cancelled == 0
    two.cancel()
    await settled()
    assert peer.cancelled == 1


async def test_a_key_given_up_within_its_turn_is_not_asked_for(link: Link, peer: FakePeer) -> None:
    one, two = ask(link, "a"), ask(link, "b")
    await asyncio.sleep(0)
    one.cancel()
    await settled()
    assert [[asked.key for asked in batch] for batch in peer.batches] in ([["b"]], [["a", "b"]])
    two.cancel()


async def test_no_key_is_waited_for_past_its_own_deadline(link: Link, peer: FakePeer) -> None:
    late, early = ask(link, "late", 60), ask(link, "early", 0.01)
    with pytest.raises(DeadlineExceeded, match="node n did not answer within the deadline"):
        await early
    assert peer.timeouts == [pytest.approx(60, abs=1)]
    assert not late.done()
    late.cancel()


async def test_failing_the_link_ends_every_wait(link: Link, peer: FakePeer) -> None:
    waiting = ask(link, "a")
    await settled()
    link.fail("left out")
    with pytest.raises(PeerUnavailable, match="left out"):
        await waiting
    await settled()
    assert peer.cancelled == 1


async def test_the_callers_trace_goes_with_its_key(link: Link, peer: FakePeer) -> None:
    current_trace.set(Trace("00-a-b-01", "v=1"))
    traced = ask(link, "a")
    current_trace.set(Trace())
    plain = ask(link, "b")
    await settled()
    assert [one.trace for one in peer.batches[0]] == [Trace("00-a-b-01", "v=1"), Trace()]
    traced.cancel()
    plain.cancel()


async def test_giving_up_on_many_keys_at_once_takes_no_time_for_each(
    link: Link, peer: FakePeer
) -> None:
    waiting = [ask(link, str(key)) for key in range(20_000)]
    await settled()
    began = time.process_time()
    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)
    assert time.process_time() - began < 5
    await settled()
    assert peer.cancelled == 1


async def test_keys_whose_call_never_began_are_failed_with_the_link(
    link: Link, peer: FakePeer
) -> None:
    waiting = ask(link, "a")
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(link.fail, "left out")  # right after the call is made
    with pytest.raises(PeerUnavailable, match="left out"):
        await waiting
    assert peer.batches == []

import asyncio
import gc
import time
import weakref
from collections.abc import AsyncIterator
from contextlib import aclosing
from math import inf

import pytest
from fake_peer import FakePeer, ask, link_to
from fakes import settled

from cache_core.cluster.link import Link
from cache_core.errors import DeadlineExceeded, NotFound, PeerUnavailable, UnexpectedStatus
from cache_core.trace import Trace, current_trace
from cache_core.value import Demand, Outcome, Value


@pytest.fixture
def peer() -> FakePeer:
    return FakePeer()


@pytest.fixture
async def link(peer: FakePeer) -> AsyncIterator[Link]:
    async with aclosing(link_to(peer)) as link:
        yield link


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
    one, two = (
        link.ask("g", key, forwarded=False, deadline=inf, then=lambda _: None) for key in "ab"
    )
    one.give_up()
    await settled()
    assert peer.keys == [["b"]]
    two.give_up()
    await settled()
    assert peer.cancelled == 1


async def test_keys_all_given_up_within_their_turn_make_no_call(link: Link, peer: FakePeer) -> None:
    for key in "ab":
        link.ask("g", key, forwarded=False, deadline=inf, then=lambda _: None).give_up()
    await settled()
    assert peer.keys == []


async def test_a_call_ends_when_some_keys_were_answered_and_the_rest_given_up(
    link: Link, peer: FakePeer
) -> None:
    for first_given_up in (True, False):
        peer.cancelled = 0
        answered, other = ask(link, "a"), ask(link, "b")
        await settled()
        if first_given_up:
            other.cancel()
            await settled()
        peer.batches[-1][0].settle(Value(b"1"))
        assert (await answered).data == b"1"
        if not first_given_up:
            assert peer.cancelled == 0
            other.cancel()
        await settled()
        assert peer.cancelled == 1


async def test_only_the_first_that_a_node_says_of_a_key_counts(link: Link, peer: FakePeer) -> None:
    outcomes: list[Outcome] = []
    for key in ("a", "b"):
        link.ask("g", key, forwarded=False, deadline=inf, then=outcomes.append)
    await settled()
    one, other = peer.batches[0]
    one.settle(Value(b"1"))
    one.settle(NotFound("no"))
    assert outcomes == [Value(b"1")]
    assert not other.is_settled
    link.fail("left out")
    assert outcomes[0] == Value(b"1")
    assert len(outcomes) == 2


async def test_callers_that_were_answered_end_nothing_for_those_who_still_wait(
    link: Link, peer: FakePeer
) -> None:
    answered, waiting = [ask(link, "a"), ask(link, "b")], ask(link, "c")
    await settled()
    for asked in peer.batches[0][:2]:
        asked.settle(Value(b"1"))
    await asyncio.gather(*answered)
    await settled()
    assert peer.cancelled == 0
    peer.batches[0][2].settle(Value(b"2"))
    assert (await waiting).data == b"2"


async def test_a_caller_cancelled_just_before_its_answer_harms_no_other(
    link: Link, peer: FakePeer
) -> None:
    cancelled, other = ask(link, "a"), ask(link, "b")
    await settled()
    cancelled.cancel()
    for asked in peer.batches[0]:
        asked.settle(Value(b"1"))
    assert (await other).data == b"1"
    await asyncio.wait([cancelled])
    assert cancelled.cancelled()


async def test_a_key_goes_with_all_that_its_caller_said_and_the_askers_ring(
    link: Link, peer: FakePeer
) -> None:
    asking = asyncio.create_task(
        link.get("g", "a", forwarded=True, demand=Demand.NEW, timeout=3600)
    )
    await settled()
    asked = peer.batches[0][0]
    assert (asked.group, asked.key, asked.forwarded) == ("g", "a", True)
    assert asked.demand is Demand.NEW
    assert peer.rings == [7]
    asking.cancel()


async def test_a_link_keeps_nothing_of_a_call_that_has_ended(link: Link, peer: FakePeer) -> None:
    class Key(str):
        """Text that can be looked for in memory."""

        __slots__ = ("__weakref__",)

    key = Key("a")
    kept = weakref.ref(key)
    asking = ask(link, key)
    await settled()
    peer.batches[0][0].settle(Value(b"1"))
    peer.leave.set()
    await asking
    await settled()
    peer.batches.clear()
    del key, asking, peer.arrived
    gc.collect()
    assert kept() is None


async def test_closing_ends_the_calls_before_the_connection(link: Link, peer: FakePeer) -> None:
    asking = ask(link, "a")
    await settled()
    assert peer.running == 1
    await link.aclose()
    assert peer.closed == [0]
    with pytest.raises(PeerUnavailable, match="was closed"):
        await asking


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

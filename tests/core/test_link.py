import asyncio
import gc
import time
from collections.abc import Sequence

import pytest
import uvloop
from fakes import settled

from cache_core.errors import DeadlineExceeded, NotFound, PeerUnavailable, UnexpectedStatus
from cache_core.link import Link
from cache_core.messages import Message
from cache_core.peer import Ask
from cache_core.trace import Trace, current_trace
from cache_core.value import Answer, Value


class FakePeer:
    """A Peer that keeps what it is asked until the test answers."""

    def __init__(self) -> None:
        self.batches: list[list[Ask]] = []
        self.timeouts: list[float] = []
        self.cancelled = 0
        self.error: PeerUnavailable | None = None
        self.leave = asyncio.Event()
        self.arrived: asyncio.Queue[Sequence[Ask]] = asyncio.Queue()

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:  # noqa: ARG002
        self.batches.append(list(asks))
        self.arrived.put_nowait(asks)
        self.timeouts.append(timeout)
        try:
            await self.leave.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error

    async def send(self, message: Message[object], *, timeout: float) -> object:
        raise NotImplementedError

    async def aclose(self) -> None:
        pass


@pytest.fixture
def peer() -> FakePeer:
    return FakePeer()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Links made from now on wait for what is under way, however slow the machine is."""
    for name in ("LEAST_SECONDS", "MOST_SECONDS"):
        monkeypatch.setattr(f"cache_core.pace.{name}", 60.0)


@pytest.fixture
def link(peer: FakePeer) -> Link:
    return Link("n", peer, lambda: 7)  # type: ignore[arg-type] # its send answers nothing


def ask(link: Link, key: str, timeout: float = 3600) -> "asyncio.Task[Value]":
    return asyncio.create_task(link.get("g", key, forwarded=False, timeout=timeout))


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
    monkeypatch.setattr("cache_core.pace.LEAST_SECONDS", 0.0004)

    async def ask_in_a_row() -> None:
        link = Link("n", peer, lambda: 7)  # type: ignore[arg-type] # its send answers nothing
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


class FakePace:
    """A Pace that is patient for ever once it has been told of an answer."""

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
    pace = FakePace()
    monkeypatch.setattr("cache_core.link.Pace", lambda: pace)
    link = Link("n", peer, lambda: 7)  # type: ignore[arg-type] # its send answers nothing
    gets = [ask(link, "a"), ask(link, "b")]
    await settled()
    for one in peer.batches[0]:
        one.settle(Value(b"1", answer=answer))
    await asyncio.gather(*gets)
    assert pace.answers == count
    gets = [ask(link, "c")]
    await settled()
    gets.append(ask(link, "d"))
    await settled()
    assert len(peer.batches) == (2 if count else 3)  # the last waits, where the link has learnt
    for get in gets:
        get.cancel()


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

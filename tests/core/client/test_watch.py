"""A client's watch on a node: what it drops, when, and when it watches again."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from fake_watched_node import SILENCE, TOM, Asker, FakeNode
from fakes import FakeClock, settled

from cache_core import Answer, Demand, NotFound, Value
from cache_core.client.watch import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    STRANGER_SECONDS,
    UNIMPLEMENTED,
    Watch,
)
from cache_core.errors import PeerUnavailable, UnexpectedStatus
from cache_core.messages import Removal


@pytest.fixture
async def asker(clock: FakeClock) -> AsyncIterator[Asker]:
    made = Asker(clock)
    yield made
    await made.watch.aclose()


async def test_the_first_answer_begins_the_watch_and_what_is_asked_under_it_is_copied(
    asker: Asker,
) -> None:
    assert asker.node.streams == 0
    await asker.get()
    assert (asker.node.streams, asker.copy) == (1, None)
    early = asker.leave()
    await asker.node.say(1)
    early(Value(b"asked before it was covered"))
    assert asker.copy is None
    await asker.get()
    assert asker.node.streams == 1
    assert asker.near.peek("g", "Tom") == Value(b"630", None, 0, Answer.HIT)
    assert len(asker.outcomes) == 3


async def test_who_closes_holds_nothing_any_more_and_then_says_so(asker: Asker) -> None:
    await asker.cover()
    await asker.get()
    assert asker.copy is not None
    await asker.watch.aclose()
    assert asker.node.left == [("w", False)]


async def test_who_has_watched_nothing_says_no_goodbye(asker: Asker) -> None:
    await asker.watch.aclose()
    assert asker.node.left == []


async def test_a_node_whose_clock_is_ahead_covers_for_no_longer_than_its_silence(
    asker: Asker,
) -> None:
    await asker.cover()
    await asker.get()
    await asker.node.say(2, elapsed=60)
    asker.clock.tick(SILENCE - 0.1)
    assert asker.copy == b"630"
    asker.clock.tick(0.2)
    assert asker.copy is None


async def test_a_new_value_of_a_node_that_is_not_watched_ends_anothers_copy(
    asker: Asker,
) -> None:
    await asker.cover()
    await asker.get()
    other = Watch(FakeNode(asker.near), asker.near)
    other.keeping("g", "Tom", Demand.NEW, asker.outcomes.append)(Value(b"new"))
    assert asker.copy is None
    await other.aclose()


async def test_what_may_not_be_copied_begins_no_watch(asker: Asker) -> None:
    for outcome in (Value(b"", -1), Value(b"", copied=True), NotFound("no"), PeerUnavailable("")):
        asker.leave()(outcome)
        await settled()
    assert asker.node.streams == 0


async def test_a_copy_is_dropped_before_it_is_acknowledged(asker: Asker) -> None:
    await asker.cover()
    await asker.get()
    await asker.node.say(2, TOM)
    assert asker.node.acknowledged == [("w", 2, False)]
    await asker.get(b"new")
    await asker.node.say(3, Removal("g"))
    assert asker.node.acknowledged[1:] == [("w", 3, False)]
    assert asker.copy is None


async def test_an_answer_under_way_while_its_key_is_removed_is_not_copied(asker: Asker) -> None:
    await asker.cover()
    answer, other = asker.leave(), asker.leave("Jack")
    await asker.node.say(2, TOM)
    answer(Value(b"old"))
    other(Value(b"589"))
    assert asker.copy is None
    assert asker.near.peek("g", "Jack") is not None


async def test_a_notice_of_nothing_is_not_acknowledged_and_frees_what_has_expired(
    asker: Asker,
) -> None:
    await asker.cover()
    asker.leave()(Value(b"630", 1))
    asker.clock.tick(2.5)
    await asker.node.say(2, elapsed=2.5)
    assert asker.node.acknowledged == []
    assert asker.near.stats().entries == 0


async def test_notices_that_come_while_one_is_acknowledged_are_acknowledged_together(
    asker: Asker,
) -> None:
    await asker.cover()
    asker.node.gate.clear()
    for sequence in (2, 3, 4):
        await asker.node.say(sequence, TOM)
    asker.node.gate.set()
    await settled()
    assert [sequence for _, sequence, _ in asker.node.acknowledged] == [2, 4]


async def test_silence_counts_from_when_the_watch_was_asked_for(asker: Asker) -> None:
    await asker.get()
    asker.clock.tick(1)  # the first notice takes so long
    await asker.node.say(1)
    await asker.get()
    asker.clock.tick(SILENCE - 1.1)
    assert asker.copy == b"630"
    asker.clock.tick(0.1)
    assert asker.copy is None


async def test_a_notice_that_comes_after_the_silence_revives_nothing(asker: Asker) -> None:
    await asker.cover()
    await asker.get()
    asker.clock.tick(SILENCE)  # as where the event loop was held up
    await asker.node.say(2, elapsed=SILENCE)
    assert asker.copy is None
    asker.clock.tick(FIRST_PAUSE)
    await asker.cover()
    assert asker.node.streams == 2
    assert asker.copy is None


async def test_notices_go_on_covering(asker: Asker) -> None:
    await asker.cover()
    await asker.get()
    for second in range(1, 10):
        asker.clock.tick(1)
        await asker.node.say(second + 1, elapsed=second)
        assert asker.copy == b"630"


async def test_a_stream_that_ends_drops_its_copies_at_once_and_what_is_under_way(
    asker: Asker,
) -> None:
    await asker.cover()
    await asker.get()
    under_way = asker.leave()
    await asker.node.end()
    assert asker.copy is None
    under_way(Value(b"630"))
    assert asker.copy is None


async def test_a_node_is_watched_again_by_its_next_answer_and_not_more_often_than_after_a_pause(
    asker: Asker,
) -> None:
    asker.node.error = PeerUnavailable("the node is draining")
    pauses, streams = [], 0
    for _ in range(900):
        await asker.get()
        if asker.node.streams > streams:
            pauses.append(asker.clock.now)
            streams = asker.node.streams
        asker.clock.tick(0.05)
    waits = [later - sooner for sooner, later in pairwise(pauses)]
    assert waits[0] == pytest.approx(FIRST_PAUSE, abs=0.051)
    assert waits[-1] == pytest.approx(LONGEST_PAUSE, abs=0.051)
    assert waits == sorted(waits)


async def test_a_node_that_could_be_watched_is_watched_again_soon_though_it_could_not_before(
    asker: Asker,
) -> None:
    asker.node.error = PeerUnavailable("it is starting")
    for _ in range(10):
        await asker.get()
        asker.clock.tick(LONGEST_PAUSE)
    asker.node.error = None
    await asker.cover()
    streams = asker.node.streams
    await asker.node.end()
    asker.clock.tick(FIRST_PAUSE)
    await asker.get()
    assert asker.node.streams == streams + 1


async def test_a_node_that_knows_no_watch_is_left_alone_for_a_minute(asker: Asker) -> None:
    asker.node.error = UnexpectedStatus("unknown method", status=UNIMPLEMENTED)
    for _ in range(50):
        await asker.get()
        asker.clock.tick(STRANGER_SECONDS / 51)
    assert (asker.node.streams, asker.copy) == (1, None)
    asker.clock.tick(STRANGER_SECONDS)
    await asker.get()
    assert asker.node.streams == 2


async def test_an_acknowledgement_that_fails_ends_what_is_covered(asker: Asker) -> None:
    await asker.cover()
    await asker.get(key="Jack")
    asker.node.refuses = PeerUnavailable("")
    await asker.node.say(2, TOM)
    assert asker.near.peek("g", "Jack") is None


async def test_what_is_missing_or_asked_to_be_new_takes_the_place_of_the_copy(
    asker: Asker,
) -> None:
    await asker.cover()
    await asker.get()
    before = asker.leave()
    asker.leave(demand=Demand.NEW)(Value(b"new"))
    before(Value(b"630"))
    assert asker.copy == b"new"
    asker.leave()(NotFound("no"))
    assert asker.copy is None


async def test_closing_ends_what_is_covered_and_nothing_is_watched_any_more(asker: Asker) -> None:
    await asker.cover()
    await asker.get()
    await asker.watch.aclose()
    assert asker.copy is None
    asker.clock.tick(LONGEST_PAUSE)
    await asker.get()
    assert asker.node.streams == 1

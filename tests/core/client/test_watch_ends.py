"""How a client's watch ends, what is left of it then, and when the next one begins."""

import asyncio

import pytest
from fake_nodes import FOUR, FakeNodes
from fake_watched_node import TOM, Asker
from fakes import FakeClock, settled
from virtual_time import in_virtual_time

from cache_core import Value
from cache_core.client.watch import FIRST_PAUSE, LONGEST_PAUSE
from cache_core.errors import PeerUnavailable, UnexpectedStatus
from cache_core.messages import Removal
from cache_core.settings import MIB


@pytest.fixture
def asker(clock: FakeClock) -> Asker:
    return Asker(clock)


async def test_all_removals_of_one_notice_are_heard(asker: Asker) -> None:
    await asker.cover()
    for key in ("Tom", "Jack", "Sam"):
        await asker.get(key=key)
    await asker.node.say(2, TOM, Removal("g", "Jack"))
    held = [asker.near.peek("g", key) is not None for key in ("Tom", "Jack", "Sam")]
    assert held == [False, False, True]
    await asker.watch.aclose()


async def test_what_was_asked_for_under_a_watch_that_broke_is_not_copied_under_the_next(
    asker: Asker,
) -> None:
    await asker.cover()
    under_way = asker.leave()
    await asker.node.end()
    asker.clock.tick(FIRST_PAUSE)
    await asker.cover()
    under_way(Value(b"removed meanwhile"))
    assert asker.near.peek("g", "Tom") is None
    await asker.get()
    assert asker.copy == b"630"
    await asker.watch.aclose()


async def test_a_node_that_fails_in_another_way_than_not_to_know_the_call_is_tried_soon_again(
    asker: Asker,
) -> None:
    asker.node.error = UnexpectedStatus("it failed", status="INTERNAL")
    await asker.get()
    asker.clock.tick(FIRST_PAUSE)
    await asker.get()
    assert asker.node.streams == 2
    await asker.watch.aclose()


async def test_a_node_that_was_watched_in_between_is_tried_as_soon_as_at_first(
    asker: Asker,
) -> None:
    broken = PeerUnavailable("it is starting")
    asker.node.error = broken
    for _ in range(10):
        await asker.get()
        asker.clock.tick(LONGEST_PAUSE)
    asker.node.error = None
    await asker.cover()
    asker.node.error = broken
    await asker.node.end()
    streams = asker.node.streams
    for _ in range(2):
        asker.clock.tick(FIRST_PAUSE)
        await asker.get()
    assert asker.node.streams == streams + 2
    await asker.watch.aclose()


async def test_a_watch_of_a_node_that_is_gone_closes_all_the_same(asker: Asker) -> None:
    await asker.cover()
    await asker.get()
    asker.node.refuses = PeerUnavailable("connection refused")
    await asker.watch.aclose()
    assert len(asker.node.left) == 1
    assert asker.copy is None
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_leaves_no_acknowledgement_under_way(asker: Asker) -> None:
    await asker.cover()
    asker.node.gate.clear()
    await asker.node.say(2, TOM)
    assert len(asker.node.acknowledged) == 1
    await asker.watch.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_nothing_is_copied_any_more_while_a_watch_says_goodbye(asker: Asker) -> None:
    await asker.cover()
    under_way = asker.leave()
    asker.node.exit.clear()
    closing = asyncio.create_task(asker.watch.aclose())
    await settled()
    await asker.node.say(2)
    under_way(Value(b"1"))
    await asker.get()
    assert asker.copy is None
    asker.node.exit.set()
    await closing
    assert asker.node.streams == 1


@in_virtual_time
async def test_a_node_that_tells_of_no_removals_is_asked_each_time() -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client(near_cache=MIB) as client:
        for _ in range(3):
            await client.get("g", "1")
            await settled()
            assert client.peek("g", "1") is None
        assert len(nodes.take_asked()) == 3


async def test_a_node_that_has_ended_the_watch_is_told_no_goodbye(asker: Asker) -> None:
    await asker.cover()
    await asker.node.end()
    await asker.watch.aclose()
    assert asker.node.left == []

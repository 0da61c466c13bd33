"""When calls of a link leave, and when waits for them end, to the millisecond."""

import asyncio
from math import inf

import pytest
import uvloop
from fake_peer import FakePeer, link_to
from fakes import settled
from virtual_time import after, in_virtual_time, now

from cache_core.cluster.link_batch import TICK_SECONDS
from cache_core.errors import DeadlineExceeded, NotFound
from cache_core.value import Outcome, Value


class Asker:
    """What asks a node through a link: when each outcome was known, by key, in seconds."""

    def __init__(self) -> None:
        self.peer = FakePeer()
        self.link = link_to(self.peer)
        self.began = now()
        self.outcomes: dict[str, Outcome] = {}
        self.times: dict[str, float] = {}

    def ask(self, key: str, timeout: float = inf) -> None:
        def then(outcome: Outcome) -> None:
            self.outcomes[key] = outcome
            self.times[key] = now() - self.began

        self.link.ask("g", key, forwarded=False, deadline=now() + timeout, then=then)

    def answer(self, call: int, outcome: Outcome) -> None:
        for asked in self.peer.batches[call]:
            asked.settle(outcome)

    @property
    def calls(self) -> list[float]:
        """When each call left."""
        return [time - self.began for time in self.peer.times]


@in_virtual_time
async def test_keys_leave_when_the_turn_ends_and_wait_for_no_call_under_way() -> None:
    asker = Asker()
    asker.ask("a")
    asker.ask("b")
    assert asker.calls == []
    await settled()
    asker.ask("c")
    await settled()
    asker.ask("d")
    asker.ask("e")
    await after(1)
    assert asker.peer.keys == [["a", "b"], ["c"], ["d", "e"]]
    assert asker.calls == [0, 0, 0]
    await asker.link.aclose()


@in_virtual_time
async def test_each_key_of_a_call_is_waited_for_until_its_own_deadline() -> None:
    asker = Asker()
    for seconds in (0.3, 0.1, 0.2):
        asker.ask(str(seconds), seconds)
    await after(1)
    assert asker.times == pytest.approx({"0.1": 0.1, "0.2": 0.2, "0.3": 0.3})
    assert all(isinstance(outcome, DeadlineExceeded) for outcome in asker.outcomes.values())
    assert asker.peer.cancelled == 1
    await asker.link.aclose()


@in_virtual_time
async def test_many_deadlines_are_looked_through_a_few_times_and_none_is_missed_by_much() -> None:
    asker = Asker()
    for number in range(200):
        asker.ask(str(number), 1 + number * TICK_SECONDS / 100)
    await after(2)
    assert len(set(asker.times.values())) <= 4
    for number in range(200):
        deadline = 1 + number * TICK_SECONDS / 100
        assert deadline <= asker.times[str(number)] + 1e-9
        assert asker.times[str(number)] <= deadline + TICK_SECONDS + 1e-9
    await asker.link.aclose()


@in_virtual_time
async def test_a_node_was_heard_when_it_last_answered_with_a_value() -> None:
    asker = Asker()
    for key in "abc":
        asker.ask(key, 10)
    await after(5)
    asker.peer.batches[0][0].settle(Value(b"1"))
    assert asker.link.heard == now()
    heard = now()
    await after(1)
    asker.peer.batches[0][1].settle(NotFound("no"))
    await after(10)
    assert isinstance(asker.outcomes["c"], DeadlineExceeded)
    assert asker.link.heard == heard
    await asker.link.aclose()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_key_without_a_deadline_is_waited_for(run: object) -> None:
    async def wait() -> None:
        asker = Asker()
        asker.ask("a")
        await settled()
        assert asker.peer.timeouts == [inf]
        asker.answer(0, Value(b"1"))
        assert asker.outcomes == {"a": Value(b"1")}
        await asker.link.aclose()

    assert callable(run)
    run(wait())

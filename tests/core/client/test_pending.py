"""One get, from the ask of its key's owner to the outcome, and what is left when it is given up."""

import asyncio
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest
from fake_nodes import FOUR, FakeNodes
from fakes import settled
from task_peer import TaskPeer
from virtual_time import in_virtual_time

from cache_core import Client, Demand, Value
from cache_core.client.failover import Failed
from cache_core.client.pending import PendingGet
from cache_core.cluster.peer import Ask
from cache_core.errors import NotFound, PeerUnavailable, UnexpectedStatus
from cache_core.messages import Message, Probed
from cache_core.trace import Trace, current_trace

if TYPE_CHECKING:
    from cache_core.value import Outcome

A = TypeVar("A")

KEYS = [str(key) for key in range(20)]


class Flapping(TaskPeer):
    """A Peer that fails its first call, and remembers in which trace each key was asked for."""

    def __init__(self) -> None:
        self.traces: dict[str, Trace] = {}
        self._has_failed = False

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:  # noqa: ARG002
        if not self._has_failed:
            self._has_failed = True
            raise PeerUnavailable("it is not there")
        for ask in asks:
            self.traces[ask.key] = ask.trace
            ask.settle(Value(b""))

    async def send(self, message: Message[A], *, timeout: float) -> A:  # noqa: ARG002
        return cast("A", Probed(draining=False, ring=0))

    async def aclose(self) -> None:
        """Nothing is to be ended."""


async def test_each_key_of_a_call_that_failed_is_asked_for_again_in_its_own_trace() -> None:
    peer = Flapping()

    async def get(key: str) -> None:
        current_trace.set(Trace(f"trace of {key}"))
        await client.get("g", key)

    async with Client("a:1", connect=lambda _: peer) as client:
        await client.reach()
        await asyncio.gather(*map(get, KEYS))
    assert peer.traces == {key: Trace(f"trace of {key}") for key in KEYS}


@in_virtual_time
async def test_a_get_given_up_while_its_owner_is_asked_is_told_nothing_and_its_call_ends() -> None:
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        await client.reach()
        outcomes: list[Outcome] = []
        nodes.silent.update(FOUR)
        before = len(nodes.under_way)
        pending = client.ask("g", "1", deadline=inf, then=outcomes.append)
        await settled()
        assert len(nodes.under_way) == before + 1
        pending.give_up()
        await settled()
        assert len(nodes.under_way) == before
    assert outcomes == []


@in_virtual_time
async def test_a_get_given_up_while_another_node_is_asked_is_told_nothing_and_its_call_ends() -> (
    None
):
    nodes = FakeNodes(*FOUR)
    async with nodes.client() as client:
        await client.reach()
        outcomes: list[Outcome] = []
        owner, *others = nodes.owners("1")
        nodes.broken.add(owner)
        nodes.silent.update(others)
        pending = client.ask("g", "1", deadline=inf, then=outcomes.append)
        await settled()
        assert nodes.take_asked() == [owner, others[0]]
        assert (others[0], inf) in nodes.under_way
        pending.give_up()
        await settled()
        assert (others[0], inf) not in nodes.under_way
    assert outcomes == []


class Going:
    """A get that goes on with what `others` returns or raises."""

    def __init__(self, others: Callable[[], Value]) -> None:
        async def ask_others(pending: PendingGet, failed: Failed | None) -> Value:  # noqa: ARG001
            return others()

        self.outcomes: list[Outcome] = []
        self.get = PendingGet(ask_others, "g", "1", Demand.ANY, inf, self.outcomes.append)
        self.get.go_on(None)


def refuse() -> Value:
    raise NotFound("no")


@pytest.mark.parametrize("others", [lambda: Value(b"1"), refuse])
async def test_a_get_given_up_when_the_answer_has_just_come_is_told_nothing(
    others: Callable[[], Value],
) -> None:
    going = Going(others)
    await asyncio.sleep(0)
    going.get.give_up()
    await settled()
    assert going.outcomes == []


async def test_a_get_ends_in_an_error_though_the_client_itself_fails() -> None:
    strays: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: strays.append(context))

    def fail() -> Value:
        raise ZeroDivisionError

    going = Going(fail)
    await settled()
    assert [type(outcome) for outcome in going.outcomes] == [UnexpectedStatus]
    assert [type(stray["exception"]) for stray in strays] == [ZeroDivisionError]


async def test_what_follows_a_get_that_goes_on_is_in_its_own_trace() -> None:
    current_trace.set(Trace("the get's"))
    get = Going(lambda: Value(b"1")).get
    current_trace.set(Trace("another's"))
    get.go_on(None)
    assert current_trace.get() == Trace("another's")
    await settled()

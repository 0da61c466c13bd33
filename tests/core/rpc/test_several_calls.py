"""Several calls for keys, some of which end before they have begun."""

from collections.abc import Sequence
from math import inf
from typing import Final

import pytest

from cache_core.address import Address
from cache_core.cluster.peer import Ask, Done, GiveUp
from cache_core.errors import CacheError, InvalidKey, PeerUnavailable
from cache_core.rpc.channel import Channel
from cache_core.rpc.key_calls import Several
from cache_core.trace import NO_TRACE
from cache_core.value import Outcome

MANY: Final = 3_000
"""More than calls may be within each other."""


def asks(keys: Sequence[str], found: list[Outcome]) -> list[Ask]:
    """Return asks for `keys`, whose outcomes come to `found`."""
    return [
        Ask("g", key, forwarded=False, deadline=inf, trace=NO_TRACE, then=found.append)
        for key in keys
    ]


def nothing() -> None:
    pass


def test_no_calls_at_all_are_done_at_once() -> None:
    ends: list[CacheError | None] = []
    Several([], lambda _, __: nothing, ends.append, most=2)
    assert ends == [None]


@pytest.mark.parametrize("most", [1, 2, MANY])
def test_calls_that_end_as_they_begin_are_done_once_and_not_within_each_other(most: int) -> None:
    found: list[Outcome] = []
    ends: list[CacheError | None] = []
    errors = [PeerUnavailable(f"{number}") for number in range(MANY)]
    left = iter(errors)

    def begin(_: Sequence[Ask], ended: Done) -> GiveUp:
        assert not ends
        ended(next(left))
        return nothing

    Several([[ask] for ask in asks(["k"] * MANY, found)], begin, ends.append, most=most)
    assert found == errors
    assert ends == [None]


def test_calls_that_end_as_they_begin_do_not_hinder_those_that_run() -> None:
    found: list[Outcome] = []
    ends: list[CacheError | None] = []
    running: list[Done] = []

    def begin(some: Sequence[Ask], ended: Done) -> GiveUp:
        if some[0].key == "slow":
            running.append(ended)
        else:
            ended(InvalidKey())
        return nothing

    calls = [[ask] for ask in asks(["slow", *["bad"] * MANY, "slow", "slow"], found)]
    Several(calls, begin, ends.append, most=2)
    assert len(running) == 2
    assert [type(each) for each in found] == [InvalidKey] * MANY
    running[0](None)
    assert len(running) == 3
    running[1](None)
    assert ends == []
    running[2](None)
    assert ends == [None]


async def test_keys_that_no_call_can_carry_are_settled_and_done() -> None:
    channel = Channel(Address("127.0.0.1", 1))
    found: list[Outcome] = []
    ends: list[CacheError | None] = []
    channel.ask(asks(["\ud800", "\udfff"], found), ring=0, timeout=30, done=ends.append)
    assert [type(each) for each in found] == [InvalidKey] * 2
    assert ends == [None]
    await channel.aclose()

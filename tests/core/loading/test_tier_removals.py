"""Removals that a second tier owes: kept until they are taken, tried with care, handed on."""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncIterator

import pytest
from fake_tier import FakeTier
from fakes import FakeClock, settled
from sources.tier_calls import eventually

from cache_core.loading.tier_removals import TierRemovals

PATH = "cache_core.loading.tier_removals"


class HeldTier(FakeTier):
    """A FakeTier whose removals wait at a gate once they have been asked for."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.asked: list[str | None] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.seen: contextvars.Context | None = None

    async def remove(self, key: str | None) -> None:
        self.asked.append(key)
        self.seen = contextvars.copy_context()
        await self.gate.wait()
        await super().remove(key)


@pytest.fixture
def tier(clock: FakeClock) -> HeldTier:
    return HeldTier(clock)


@pytest.fixture
async def removals(tier: HeldTier) -> AsyncIterator[TierRemovals]:
    async with contextlib.aclosing(TierRemovals(tier)) as opened:
        yield opened


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{PATH}.RETRY_SECONDS", 0.001)


async def test_what_the_tier_takes_is_not_owed(tier: HeldTier, removals: TierRemovals) -> None:
    assert await removals.remove("Tom")
    assert (removals.owed, tier.removed) == ((), ["Tom"])
    assert not removals.holds("Tom")


async def test_what_it_did_not_take_is_owed_for_that_key_alone(
    tier: HeldTier, removals: TierRemovals
) -> None:
    tier.gone = True
    assert not await removals.remove("Tom")
    assert removals.owed == ("Tom",)
    assert [removals.holds(key) for key in ("Tom", "Jack")] == [True, False]


async def test_a_flush_that_is_owed_holds_every_key(tier: HeldTier, removals: TierRemovals) -> None:
    tier.gone = True
    assert not await removals.remove(None)
    assert removals.owed == (None,)
    assert removals.holds("Tom")


async def test_a_removal_whose_caller_gives_up_is_owed(
    tier: HeldTier, removals: TierRemovals
) -> None:
    tier.gate.clear()
    removing = asyncio.create_task(removals.remove("Tom"))
    await settled()
    removing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await removing
    assert removals.owed == ("Tom",)


@pytest.mark.usefixtures("soon")
async def test_a_removal_owed_again_while_it_is_tried_is_tried_again(
    tier: HeldTier, removals: TierRemovals
) -> None:
    taken: list[str | None] = []
    removals.taken = taken.append
    tier.gate.clear()
    removals.owe("Tom")
    await eventually(lambda: tier.asked == ["Tom"])
    removals.owe("Tom")
    tier.gate.set()
    await eventually(lambda: not removals.owed)
    assert tier.removed == ["Tom", "Tom"]
    assert taken == ["Tom"]


@pytest.mark.usefixtures("soon")
async def test_each_outage_is_followed_by_the_removals_that_it_held_up(
    tier: HeldTier, removals: TierRemovals
) -> None:
    for key in ("Tom", "Jack"):
        tier.gone = True
        await removals.remove(key)
        tier.gone = False
        await eventually(lambda: not removals.owed)
        await settled()
    assert tier.removed == ["Tom", "Jack"]


async def test_a_tier_that_is_gone_is_left_alone_between_tries(
    tier: HeldTier, removals: TierRemovals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{PATH}.RETRY_SECONDS", 3600.0)
    tier.gone = True
    await removals.remove("Tom")
    await settled()
    assert tier.asked == ["Tom"]


async def test_a_try_at_a_tier_that_is_gone_asks_for_one_key(
    tier: HeldTier, removals: TierRemovals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{PATH}.RETRY_SECONDS", 0.001)
    tier.gone = True
    for key in ("a", "b", "c"):
        removals.owe(key)
    tier.gate.clear()
    await eventually(lambda: tier.asked)
    monkeypatch.setattr(f"{PATH}.RETRY_SECONDS", 3600.0)
    tier.gate.set()
    await settled()
    assert tier.asked == ["a"]
    assert removals.owed == ("a", "b", "c")


async def test_tries_are_no_part_of_what_their_caller_does(
    tier: HeldTier, removals: TierRemovals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{PATH}.RETRY_SECONDS", 0.001)
    request: contextvars.ContextVar[str] = contextvars.ContextVar("request")
    request.set("one of a user's")
    removals.owe("Tom")
    await eventually(lambda: not removals.owed)
    assert tier.seen is not None
    assert request not in tier.seen


async def test_too_many_that_are_owed_become_a_flush(
    tier: HeldTier, removals: TierRemovals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{PATH}.MOST_OWED", 3)
    tier.gone = True
    for key in ("a", "b", "c"):
        await removals.remove(key)
    assert {*removals.owed} == {"a", "b", "c"}
    await removals.remove("d")
    assert removals.owed == (None,)
    assert all(removals.holds(key) for key in ("a", "b", "c", "d", "e"))


@pytest.mark.usefixtures("soon")
async def test_nothing_is_tried_after_it_is_closed(tier: HeldTier) -> None:
    removals = TierRemovals(tier)
    tier.gone = True
    await removals.remove("Tom")
    await removals.aclose()
    asked = list(tier.asked)
    removals.owe("Jack")
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert tier.asked == asked


@pytest.mark.usefixtures("soon")
async def test_a_successor_owes_all_that_was_and_will_be_owed(
    tier: HeldTier, removals: TierRemovals
) -> None:
    tier.gone = True
    await removals.remove("Tom")
    async with contextlib.aclosing(TierRemovals(tier)) as successor:
        successor.succeed(removals)
        assert (removals.owed, successor.owed) == ((), ("Tom",))
        await removals.remove("Jack")
        assert (removals.owed, successor.owed) == ((), ("Tom", "Jack"))
        assert [removals.holds(key) for key in ("Tom", "Jack", "Sam")] == [True, True, False]
        await removals.aclose()
        tier.gone = False
        await eventually(lambda: not successor.owed)
    assert tier.removed == ["Tom", "Jack"]

"""Tests of the simulation: a fault that is put in on purpose is found within few seeds."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import pytest
from simulation.run import run

from cache_core.client.near import NearCache
from cache_core.client.near_copies import Coverage
from cache_core.client.watch import Watch
from cache_core.group.holdings import Holdings
from cache_core.loading.singleflight import Flights
from cache_core.memory.eviction import PolicyFactory
from cache_core.messages import Handed, Notice, Removal, RemovedHere, RemoveHere
from cache_core.node import shared_group
from cache_core.node.handover import Handover
from cache_core.node.hot import HotCache
from cache_core.node.removal import Removals
from cache_core.node.shared_group import SharedGroup
from cache_core.value import Demand, Terms, Value


class LastingCopies(HotCache):
    def __init__(
        self,
        capacity: int,
        policy: PolicyFactory,
        *,
        max_value: int,
        ttl: float,
        clock: Callable[[], float],
        terms: Terms,
    ) -> None:
        lasting = 1_000.0 if ttl else 0.0
        super().__init__(
            capacity, policy, max_value=max_value, ttl=lasting, clock=clock, terms=terms
        )


LATE: Final = 0.3
"""Seconds that a client which acknowledges at once takes to drop its copies."""

SEEDS: Final = range(400)
"""Within which each fault must be found; most are within thirty."""


def fences_nothing(patch: pytest.MonkeyPatch) -> None:
    def fence(_flights: Flights[object], _key: str) -> None:
        return

    patch.setattr(Flights, "fence", fence)


def removes_in_one_round(patch: pytest.MonkeyPatch) -> None:
    here = Removals.here

    async def once(self: Removals, message: RemoveHere) -> RemovedHere:
        return await here(self, message) if message.last_round else RemovedHere((), ())

    patch.setattr(Removals, "here", once)


def names_nobody_as_unreached(patch: pytest.MonkeyPatch) -> None:
    everywhere = Removals.everywhere

    async def all_reached(self: Removals, item: Removal, timeout: float | None) -> tuple[str, ...]:
        await everywhere(self, item, timeout)
        return ()

    patch.setattr(Removals, "everywhere", all_reached)


def takes_over_what_was_removed(patch: pytest.MonkeyPatch) -> None:
    put = Handover._put  # noqa: SLF001

    def regardless(self: Handover, entry: Handed, _removed: set[Removal]) -> bool:
        return put(self, entry, set())

    patch.setattr(Handover, "_put", regardless)


def keeps_copies_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shared_group, "HotCache", LastingCopies)


def forwards_what_was_forwarded(patch: pytest.MonkeyPatch) -> None:
    get = SharedGroup.get

    async def on(self: SharedGroup, key: str, *, forwarded: bool, demand: Demand) -> Value:
        del forwarded
        return await get(self, key, forwarded=False, demand=demand)

    patch.setattr(SharedGroup, "get", on)


def loads_what_others_own(patch: pytest.MonkeyPatch) -> None:
    async def load(self: SharedGroup, key: str, demand: Demand) -> Value:
        return await self.group.get(key, demand)

    patch.setattr(SharedGroup, "_fetch", load)


def spends_the_copies_share_twice(patch: pytest.MonkeyPatch) -> None:
    def reserve(self: Holdings, share: float) -> int:
        return int(self.entries.capacity * share)

    patch.setattr(Holdings, "reserve", reserve)


def acknowledges_before_it_drops(patch: pytest.MonkeyPatch) -> None:
    take = Watch._take  # noqa: SLF001

    def late(self: Watch, notice: Notice) -> None:
        take(self, replace(notice, items=(Removal("none"),) if notice.items else ()))
        asyncio.get_running_loop().call_later(LATE, take, self, notice)

    patch.setattr(Watch, "_take", late)


def copies_what_was_asked_for_before_a_removal(patch: pytest.MonkeyPatch) -> None:
    offer = NearCache.offer

    def regardless(
        self: NearCache,
        group: str,
        key: str,
        value: Value,
        coverage: Coverage,
        _mark: int,
        *,
        replaces: bool,
    ) -> bool:
        return offer(self, group, key, value, coverage, self.mark, replaces=replaces)

    patch.setattr(NearCache, "offer", regardless)


FAULTS: Final[dict[Callable[[pytest.MonkeyPatch], None], str]] = {
    fences_nothing: "a removed value was read",
    removes_in_one_round: "a removed value was read",
    names_nobody_as_unreached: "a removed value was read",
    takes_over_what_was_removed: "a removed value was read",
    keeps_copies_for_ever: "a copy was answered after its time",
    forwards_what_was_forwarded: "a forwarded request was forwarded again",
    loads_what_others_own: "a key was loaded beside its owner",
    acknowledges_before_it_drops: "a removed copy was read",
    copies_what_was_asked_for_before_a_removal: "a removed copy was read",
    spends_the_copies_share_twice: "more bytes were held than the budget",
}

RARE: Final = (
    takes_over_what_was_removed,
    names_nobody_as_unreached,
    keeps_copies_for_ever,
    copies_what_was_asked_for_before_a_removal,
)
"""Found after many seeds."""


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=pytest.mark.slow if fault in RARE else (), id=fault.__name__)
        for fault in FAULTS
    ],
)
def test_a_fault_is_found(fault: Callable[[pytest.MonkeyPatch], None]) -> None:
    with _with(fault):
        for seed in SEEDS:
            error = run(seed).error
            if error is not None and FAULTS[fault] in str(error):
                return
    pytest.fail(f"{fault.__name__} was not found in {len(SEEDS)} seeds")


@contextmanager
def _with(fault: Callable[[pytest.MonkeyPatch], None]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        fault(patch)
        yield

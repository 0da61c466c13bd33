"""How often a name is looked up."""

import asyncio
from collections.abc import Iterable

import pytest
from cluster.watching import following
from virtual_time import after, in_virtual_time

from cache_core.cluster.member import Member
from cache_core.membership.dns import DnsMembership


class TimedNames:
    """A resolver whose answer a test sets; notes when it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[float] = []

    async def __call__(self, host: str, port: int) -> Iterable[str]:
        assert (host, port) == ("cache.test", 8080)
        self.asked.append(asyncio.get_running_loop().time())
        return self.addresses

    @property
    def pauses(self) -> list[float]:
        return [two - one for one, two in zip(self.asked, self.asked[1:], strict=False)]


@in_virtual_time
async def test_a_known_name_is_looked_up_every_five_seconds() -> None:
    names = TimedNames("10.0.0.1")
    async with following(DnsMembership("cache.test", 8080, resolve=names)) as told:
        await after(19)
        assert names.pauses == [5.0, 5.0, 5.0]
        names.addresses = ("10.0.0.2",)
        await after(2)
        assert told == [{Member("10.0.0.1:8080")}, {Member("10.0.0.2:8080")}]


@in_virtual_time
async def test_a_name_without_an_address_yet_is_looked_up_ever_more_seldom() -> None:
    names = TimedNames()
    async with following(DnsMembership("cache.test", 8080, resolve=names)) as told:
        await after(20)
        assert names.pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
        assert told == []


@pytest.mark.parametrize(("interval", "pauses"), [(1.0, [0.25, 0.5, 1.0, 1.0]), (0.1, [0.1] * 27)])
def test_a_name_is_never_looked_up_more_seldom_than_its_interval_says(
    interval: float, pauses: list[float]
) -> None:
    @in_virtual_time
    async def holds() -> None:
        names = TimedNames()
        membership = DnsMembership("cache.test", 8080, interval=interval, resolve=names)
        async with following(membership):
            await after(2.76)
            assert names.pauses == pytest.approx(pauses)

    holds()


@in_virtual_time
async def test_a_name_that_lost_its_addresses_is_looked_up_as_before() -> None:
    names = TimedNames("10.0.0.1")
    async with following(DnsMembership("cache.test", 8080, resolve=names)) as told:
        await after(1)
        names.addresses = ()
        await after(20)
        assert names.pauses == [5.0] * 4
        assert told == [{Member("10.0.0.1:8080")}]


@in_virtual_time
async def test_a_watch_that_ended_without_the_name_is_missed_by_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = TimedNames("10.0.0.1")
    membership = DnsMembership("cache.test", 8080, resolve=names)
    async with following(membership):
        async with following(membership):
            await after(1)
            names.addresses = ()
            await after(10)
        names.addresses = ("10.0.0.1",)
        await after(10)
    lost, found = (record.getMessage() for record in caplog.records)
    words = "the members stay as they were: cache.test has no address"
    assert lost == f"the name cache.test can't be reached, {words}"
    assert found == "the name cache.test is reached again"

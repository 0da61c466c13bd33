"""What holds for every kind of membership."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import TypeAlias

import pytest
from cluster.etcd import etcd_at
from cluster.fake_etcd import SERVER, FakeEtcd

from cache_core.cluster.member import Member
from cache_core.membership.dns import DnsMembership
from cache_core.membership.etcd.membership import EtcdMembership
from cache_core.membership.membership import Membership, MembershipError
from cache_core.membership.static import StaticMembership

ONE, TWO = Member("127.0.0.1:8080"), Member("[::1]:8080")
OTHER = Member("127.0.0.9:8080")

Open: TypeAlias = Callable[[], Membership]
"""Return a membership that knows ONE and TWO."""


@contextlib.asynccontextmanager
async def static(_: Path) -> AsyncIterator[Open]:
    yield lambda: StaticMembership([ONE, TWO])


@contextlib.asynccontextmanager
async def dns(_: Path) -> AsyncIterator[Open]:
    async def resolve(host: str, port: int) -> Iterable[str]:
        assert (host, port) == ("cache.test", 8080)
        return ["::1", "127.0.0.1"]

    yield lambda: DnsMembership("cache.test", 8080, interval=0.01, resolve=resolve)


@contextlib.asynccontextmanager
async def etcd(folder: Path) -> AsyncIterator[Open]:
    async with etcd_at(folder) as server:
        nodes = [EtcdMembership([server.address], "/gaocache") for _ in range(2)]
        for node, member in zip(nodes, (ONE, TWO), strict=True):
            await node.join(member)
        try:
            yield lambda: EtcdMembership([server.address], "/gaocache")
        finally:
            for node in nodes:
                await node.leave()


@contextlib.asynccontextmanager
async def fake_etcd(_: Path) -> AsyncIterator[Open]:
    fake = FakeEtcd()
    for member in (ONE, TWO):
        fake.set(f"/gaocache/{member.name}", b'{"weight": 1}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cache_core.membership.etcd.servers.Etcd", fake)
        yield lambda: EtcdMembership([SERVER], "/gaocache")


@pytest.fixture(params=[static, dns, fake_etcd, pytest.param(etcd, marks=pytest.mark.service)])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    async with request.param(tmp_path) as opening:
        yield opening


@contextlib.asynccontextmanager
async def watching(membership: Membership) -> AsyncGenerator[AsyncIterator[frozenset[Member]]]:
    watch = membership.watch()
    assert isinstance(watch, AsyncGenerator)
    async with aclosing(watch):
        yield watch


async def test_a_watch_first_tells_all_members(opened: Open) -> None:
    async with watching(opened()) as watch:
        assert await anext(watch) == {ONE, TWO}


async def test_a_watch_does_not_end_or_repeat_itself(opened: Open) -> None:
    async with watching(opened()) as watch:
        await anext(watch)
        again = asyncio.ensure_future(anext(watch))
        done, _ = await asyncio.wait({again}, timeout=0.2)
        assert not done
        again.cancel()
        await asyncio.wait({again})


async def test_two_watches_of_one_membership_tell_the_same(opened: Open) -> None:
    membership = opened()
    async with watching(membership) as one, watching(membership) as two:
        assert await anext(one) == await anext(two) == {ONE, TWO}


async def test_who_has_not_joined_may_leave(opened: Open) -> None:
    membership = opened()
    await membership.leave()
    await membership.leave()


async def test_a_member_may_leave_and_join_again(opened: Open) -> None:
    membership = opened()
    for _ in range(2):
        await membership.join(ONE)
        await membership.leave()


async def test_nothing_goes_on_once_left_and_closed(opened: Open) -> None:
    before = asyncio.all_tasks()
    membership = opened()
    await membership.join(ONE)
    async with watching(membership) as watch:
        await anext(watch)
        reading = asyncio.ensure_future(anext(watch))
        await asyncio.wait({reading}, timeout=0.05)
        reading.cancel()
        await asyncio.wait({reading})
    await membership.leave()
    assert asyncio.all_tasks() == before


async def test_a_list_that_lacks_a_member_says_what_it_has() -> None:
    with pytest.raises(MembershipError, match=r"127\.0\.0\.9:8080 is not among the members 127"):
        await StaticMembership([ONE, TWO]).join(OTHER)
    await StaticMembership([Member(ONE.name, 3)]).join(ONE)

"""What etcd may do to a watch, from a server that does it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from aetcd import rpc
from cluster.etcd_rpc import serving
from cluster.watching import until

from cache_core.address import Address
from cache_core.cluster.member import Member
from cache_core.membership.etcd.membership import EtcdMembership

A, B = Member("10.0.0.1:8080"), Member("10.0.0.2:8080")
PREFIX = "/gaocache/test"


class Registry:
    """Answers reads with `members`, and ends each watch in the way of its turn."""

    def __init__(self, *ends: rpc.WatchResponse | None) -> None:
        self.members = [A]
        self.watched = asyncio.Event()
        self._ends = list(ends)

    async def range(self, _request: object, _context: object) -> rpc.RangeResponse:
        return rpc.RangeResponse(
            header=rpc.ResponseHeader(revision=1),
            kvs=[
                rpc.KeyValue(key=f"{PREFIX}/{member.name}".encode(), value=b'{"weight": 1}')
                for member in self.members
            ],
        )

    async def watch(
        self, requests: AsyncIterator[object], _context: object
    ) -> AsyncIterator[rpc.WatchResponse]:
        await anext(requests)
        yield rpc.WatchResponse(created=True)
        if not self._ends:
            await asyncio.Event().wait()
        await self.watched.wait()
        end = self._ends.pop()
        if end is not None:
            yield end
            await asyncio.Event().wait()


@pytest.mark.parametrize(
    "end", [rpc.WatchResponse(canceled=True, cancel_reason="no leader"), None], ids=["told", "mute"]
)
async def test_a_watch_that_etcd_cancels_begins_anew(end: rpc.WatchResponse | None) -> None:
    registry = Registry(end)
    async with serving(registry) as address:
        watch = EtcdMembership([address], PREFIX).watch()
        async with aclosing(watch):  # type: ignore[type-var]
            await until(watch, [A])
            registry.members = [A, B]
            registry.watched.set()
            await until(watch, [A, B])


async def test_who_watches_ends_when_told_at_any_moment_without_etcd() -> None:
    async def watch() -> None:
        async for _ in EtcdMembership([Address("127.0.0.1", 1)], PREFIX).watch():
            pass

    watchers = [asyncio.create_task(watch()) for _ in range(200)]
    for watcher in watchers:
        await asyncio.sleep(0.002)
        watcher.cancel()
    _, running = await asyncio.wait(watchers, timeout=5)
    assert not running

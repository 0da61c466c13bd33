"""Children are kept from the moment that all serve until a signal, and no longer."""

import asyncio

import pytest

from gateway.cli.failure import Failure
from gateway.cli.processes.supervisor import Kept, keep_until


class FakeKept(Kept):
    """Is kept until it is cancelled, or broken."""

    def __init__(self) -> None:
        super().__init__("node 1", [])
        self.broken = asyncio.Event()
        self.is_kept = False

    async def keep(self) -> None:
        self.is_kept = True
        try:
            await self.broken.wait()
            raise OSError("no process can be started")
        finally:
            self.is_kept = False


class Told(asyncio.Event):
    """A wish to stop, whose `ready` sets it once all that was begun has run."""

    def soon(self) -> None:
        asyncio.get_running_loop().call_later(0.001, self.set)


async def serve() -> None:
    pass


async def hang() -> None:
    await asyncio.get_running_loop().create_future()


async def fail() -> None:
    raise Failure("can't listen", exit_status=1)


async def test_once_told_to_stop_none_is_started_again() -> None:
    told, kept = Told(), FakeKept()
    assert await keep_until(told, [kept], serve(), told.soon)
    await asyncio.sleep(0)
    assert not kept.is_kept


async def test_a_wish_to_stop_cuts_a_start_short() -> None:
    told, kept, ready = Told(), FakeKept(), asyncio.Event()
    told.soon()
    assert not await asyncio.wait_for(keep_until(told, [kept], hang(), ready.set), 5)
    assert not ready.is_set()


async def test_where_one_does_not_start_the_others_are_not_said_to_serve() -> None:
    told, ready = Told(), asyncio.Event()
    told.soon()
    with pytest.raises(Failure, match="can't listen"):
        await keep_until(told, [FakeKept()], fail(), ready.set)
    assert not ready.is_set()


async def test_where_one_can_not_be_kept_it_is_an_error() -> None:
    told, kept = Told(), FakeKept()
    with pytest.raises(OSError, match="no process can be started"):
        await asyncio.wait_for(keep_until(told, [kept], serve(), kept.broken.set), 5)

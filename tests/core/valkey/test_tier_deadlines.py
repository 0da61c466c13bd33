"""A second tier that hangs, for those who have less time than its timeout. Needs no server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from fakes import FakeClock, FakeSource
from pydantic import SecretStr

from cache_core import Group, GroupSettings
from cache_core.config.groups import make_tier
from cache_core.loading.tier import TierUnavailable
from cache_core.valkey.breaker import FAILURES
from cache_core.valkey.tier import ValkeyTier


class Silent:
    """A server that never answers."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read for ever."""
        with contextlib.closing(writer):
            while await reader.read(4096):
                self.asked.set()


@pytest.fixture
async def silent() -> AsyncIterator[Silent]:
    server = Silent()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"valkey://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield server
    listening.close()


async def test_callers_who_give_up_early_find_out_that_a_store_hangs(
    silent: Silent, clock: FakeClock
) -> None:
    async with contextlib.aclosing(
        ValkeyTier(silent.url, group="g", timeout=30, clock=clock)
    ) as tier:
        for _ in range(FAILURES):
            silent.asked.clear()
            call = asyncio.create_task(tier.look(["Tom"]))
            await silent.asked.wait()
            clock.tick(15)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        assert tier.breaker.is_open
        with pytest.raises(TierUnavailable):
            await tier.look(["Tom"])


async def test_a_tier_that_hangs_leaves_a_short_load_timeout_to_the_source(silent: Silent) -> None:
    tier = make_tier(SecretStr(silent.url), group="g", load_timeout=0.2)
    source = FakeSource({"Tom": b"630"})
    group = Group("g", source, GroupSettings(load_timeout=0.2), tier=tier)
    assert (await group.get("Tom")).data == b"630"
    await group.aclose()

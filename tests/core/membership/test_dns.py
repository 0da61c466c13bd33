import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from cluster.names import NSS_WRAPPER, Names

from cache_core.cluster.member import Member
from cache_core.membership.dns import DnsMembership

WATCH = """
import asyncio, json
from cache_core.membership.dns import DnsMembership

async def main():
    async for members in DnsMembership("cache.test", 8080, interval=0.02).watch():
        print(json.dumps(sorted(member.name for member in members)), flush=True)

asyncio.run(main())
"""


class FakeNames:
    """A resolver whose answers a test sets; counts how often it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses: Iterable[str] | OSError = addresses
        self.asked = asyncio.Semaphore(0)

    async def __call__(self, host: str, port: int) -> Iterable[str]:
        """Answer for the one name there is."""
        assert (host, port) == ("cache.test", 8080)
        self.asked.release()
        if isinstance(self.addresses, OSError):
            raise self.addresses
        return self.addresses

    async def answered(self, times: int) -> None:
        """Wait until it was asked so often from now on, and the last answer has been taken."""
        while not self.asked.locked():
            await self.asked.acquire()
        for _ in range(times + 1):
            await self.asked.acquire()


@asynccontextmanager
async def watching(
    names: FakeNames, interval: float = 0.001
) -> AsyncGenerator[AsyncIterator[frozenset[Member]]]:
    watch = DnsMembership("cache.test", 8080, interval=interval, resolve=names).watch()
    assert isinstance(watch, AsyncGenerator)
    async with aclosing(watch):
        yield watch


def members(*names: str) -> frozenset[Member]:
    return frozenset(map(Member, names))


async def test_every_address_is_a_member_and_changes_are_followed() -> None:
    names = FakeNames("10.0.0.1", "10.0.0.2", "10.0.0.1")
    async with watching(names) as watch:
        assert await anext(watch) == members("10.0.0.1:8080", "10.0.0.2:8080")
        names.addresses = ["fd00::1", "10.0.0.2"]
        assert await anext(watch) == members("[fd00::1]:8080", "10.0.0.2:8080")


async def test_the_same_addresses_in_another_order_are_no_change() -> None:
    names = FakeNames("10.0.0.1", "10.0.0.2")
    async with watching(names) as watch:
        await anext(watch)
        following = asyncio.ensure_future(anext(watch))
        names.addresses = ["10.0.0.2", "10.0.0.1"]
        await names.answered(3)
        assert not following.done()
        names.addresses = ["10.0.0.3"]
        assert await following == members("10.0.0.3:8080")


@pytest.mark.parametrize("answer", [OSError("no such name"), ()])
async def test_a_name_that_is_lost_keeps_its_members(
    answer: OSError | tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    names = FakeNames("10.0.0.1")
    async with watching(names) as watch:
        await anext(watch)
        following = asyncio.ensure_future(anext(watch))
        names.addresses = answer
        await names.answered(3)
        assert not following.done()
        names.addresses = ["10.0.0.1", "10.0.0.2"]
        assert await following == members("10.0.0.1:8080", "10.0.0.2:8080")
    lost, found = (record.getMessage() for record in caplog.records if record.name == "gaocache")
    assert lost.startswith("the name cache.test can't be reached, the members stay as they were")
    assert found == "the name cache.test is reached again"


async def test_a_name_that_is_not_there_yet_is_asked_again_soon() -> None:
    names = FakeNames()
    async with watching(names, interval=3600) as watch:
        first = asyncio.ensure_future(anext(watch))
        await names.asked.acquire()
        names.addresses = ["10.0.0.1"]
        async with asyncio.timeout(10):
            assert await first == members("10.0.0.1:8080")


async def test_the_system_resolves_addresses_to_themselves() -> None:
    for host, name in (("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")):
        watch = DnsMembership(host, 80).watch()
        assert await anext(watch) == members(name)
        assert isinstance(watch, AsyncGenerator)
        await watch.aclose()


@pytest.mark.service
async def test_a_real_resolver_is_followed(tmp_path: Path) -> None:
    if NSS_WRAPPER is None:
        pytest.skip("nss_wrapper is not installed (Debian's libnss-wrapper)")
    names = Names(tmp_path)

    def behind(*addresses: str) -> list[str]:
        names.set(*addresses)
        return sorted(f"{address}:8080" for address in addresses)

    expected = behind("127.0.0.1", "127.0.0.2", "127.0.0.3")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WATCH),
        env={**os.environ, **names.environment},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            assert json.loads(await process.stdout.readline()) == expected
            expected = behind("127.0.0.1", "127.0.0.3")
            assert json.loads(await process.stdout.readline()) == expected
            expected = behind("127.0.0.3", "127.0.0.4")
            assert json.loads(await process.stdout.readline()) == expected
    finally:
        process.kill()
        await process.communicate()

"""What a test reads from a membership's watch."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager

from cache_core.cluster.member import Member
from cache_core.membership.membership import Membership

PATIENCE = 20.0


async def until(
    watch: AsyncIterator[frozenset[Member]], members: Iterable[Member]
) -> list[frozenset[Member]]:
    """Read until the members are these; return all that was read."""
    seen: list[frozenset[Member]] = []
    async with asyncio.timeout(PATIENCE):
        while not seen or seen[-1] != frozenset(members):
            seen.append(await anext(watch))
    return seen


@asynccontextmanager
async def following(membership: Membership) -> AsyncGenerator[list[frozenset[Member]]]:
    """Watch for the body; yield a list that grows by what the watch tells."""
    told: list[frozenset[Member]] = []

    async def follow() -> None:
        watch = membership.watch()
        assert isinstance(watch, AsyncGenerator)
        async with aclosing(watch):
            async for members in watch:
                told.append(members)  # noqa: PERF401 - others read it meanwhile

    task = asyncio.create_task(follow())
    try:
        yield told
        assert not task.done(), "the watch has ended"
    finally:
        task.cancel()
        await asyncio.wait({task})

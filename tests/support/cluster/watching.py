"""What a test reads from a membership's watch."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from cache_core.cluster.member import Member

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

"""A second tier as a group uses it, a key at a time."""

import asyncio
from collections.abc import Callable

from cache_core.loading.tier import Looked, Written
from cache_core.valkey.tier import ValkeyTier
from cache_core.value import Value

PATIENT = 10.0
"""A tier's timeout that a busy machine does not overrun."""


async def looked(tier: ValkeyTier, key: str = "Tom") -> Looked:
    return (await tier.look([key]))[key]


async def put(tier: ValkeyTier, state: str, value: Value, key: str = "Tom") -> None:
    await tier.put({key: Written(value, state)})


async def load(tier: ValkeyTier, value: Value, key: str = "Tom") -> None:
    """Look, and put what was loaded."""
    await put(tier, (await looked(tier, key)).state, value, key)


async def data_of(tier: ValkeyTier, key: str = "Tom") -> bytes | None:
    value = (await looked(tier, key)).value
    return None if value is None else value.data


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until `condition` is true of what happens in a thread or at a server."""
    async with asyncio.timeout(PATIENT):
        while not condition():  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.001)

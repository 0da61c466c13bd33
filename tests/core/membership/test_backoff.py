import asyncio

import pytest
from virtual_time import in_virtual_time

from cache_core.membership.backoff import Backoff


async def waits(backoff: Backoff, count: int) -> list[float]:
    loop = asyncio.get_running_loop()
    seconds = []
    for _ in range(count):
        began = loop.time()
        await backoff.wait()
        seconds.append(loop.time() - began)
    return seconds


@in_virtual_time
async def test_each_wait_is_twice_as_long_up_to_the_last_and_begins_anew_when_reset() -> None:
    backoff = Backoff(0.25, 1.5)
    assert await waits(backoff, 5) == pytest.approx([0.25, 0.5, 1.0, 1.5, 1.5])
    backoff.reset()
    assert await waits(backoff, 2) == pytest.approx([0.25, 0.5])


@in_virtual_time
async def test_no_wait_is_longer_than_the_last() -> None:
    backoff = Backoff(5, 2)
    assert await waits(backoff, 3) == pytest.approx([2, 2, 2])
    backoff.reset()
    assert await waits(backoff, 1) == pytest.approx([2])

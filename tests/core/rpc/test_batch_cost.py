"""What a batch is for: it costs less than its keys would one by one."""

import asyncio
import time
from collections.abc import Sequence
from statistics import median

import pytest
from fake_participant import AnyChannel, FakeParticipant, ask, connected, hit
from task_peer import got

KEYS = [f"key {n}" for n in range(64)]


async def cost(channel: AnyChannel, keys: Sequence[str], *, together: bool) -> float:
    """Seconds of CPU, the node's included, for `keys` asked in one call or one after another."""
    began = time.process_time()
    for part in [keys] if together else [[key] for key in keys]:
        asks = [ask(key) for key in part]
        await got(channel, asks, ring=0, timeout=30)
        await asyncio.gather(*(one.outcome for one in asks))
    return time.process_time() - began


@pytest.mark.slow
async def test_64_keys_in_one_batch_cost_less_than_8_single_gets() -> None:
    participant = FakeParticipant(dict.fromkeys(KEYS, hit(bytes(100))))
    async with connected(participant) as channel:
        batches, singles = [], []
        for _ in range(200):
            batches.append(await cost(channel, KEYS, together=True))
            singles.append(await cost(channel, KEYS[:8], together=False))
    assert median(batches) < median(singles)

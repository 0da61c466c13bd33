"""Batches that look-ups of the same group wait for."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from fakes import BatchSource, settled

from cache_core import Group, GroupSettings


@pytest.mark.parametrize("turns", range(6))
async def test_a_look_up_never_waits_for_a_batch_that_waits_for_its_place(turns: int) -> None:
    class Nested(BatchSource):
        async def retrieve_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
            self.batches.append(list(keys))
            if "outer" not in keys:
                return dict.fromkeys(keys, b"inner")
            self.asked.set()
            await self.gate.wait()
            for _ in range(turns):
                await asyncio.sleep(0)
            return {"outer": (await group.get("inner")).data}

    source = Nested({"inner": b"inner"})
    source.gate.clear()
    group = Group("g", source, GroupSettings(load_concurrency=1))
    outer = asyncio.create_task(group.get("outer"))
    await source.asked.wait()
    await settled()
    source.gate.set()
    inner = asyncio.create_task(group.get("inner"))
    async with asyncio.timeout(5):
        assert (await outer).data == (await inner).data == b"inner"

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from trio_in_process import Cluster, Make, trio


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    async with AsyncExitStack() as made:

        async def start(**settings: object) -> Cluster:
            return await made.enter_async_context(trio(**settings))

        yield start

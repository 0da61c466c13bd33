from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from running_up import Up, running_up


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """A `gaocache up` with its demo, for all tests of a module that leave its keys as they were.

    Those are marked `asyncio(loop_scope="module")`.
    """
    async with running_up(tmp_path_factory.mktemp("up")) as running:
        yield running

from collections.abc import AsyncIterator

import pytest
from lane_server import LaneServer, lane_server
from raw_http import Connection


@pytest.fixture
async def serving() -> AsyncIterator[LaneServer]:
    async with lane_server() as server:
        yield server


@pytest.fixture
async def connection(serving: LaneServer) -> AsyncIterator[Connection]:
    async with Connection(serving.url) as opened:
        yield opened

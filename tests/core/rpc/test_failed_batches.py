"""A batch whose answer can't be sent, while its loads have not begun."""

import asyncio
import gc
import warnings

import pytest
from fake_participant import FakeParticipant, hit

from cache_core import Value
from cache_core.pb.cluster_pb2 import BatchGetRequest
from cache_core.rpc.service import Service
from cache_core.rpc.wire.batch import Make


async def test_nothing_is_left_of_loads_that_never_began() -> None:
    participant = FakeParticipant({"held": hit()}, {"loaded": Value(b"1")})

    async def send(_: Make) -> None:
        raise ConnectionResetError

    request = BatchGetRequest(keys=["held", "loaded"], groups=["g"])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(ConnectionResetError):
            await Service(participant).batch_get(request, send)
        await asyncio.sleep(0)
        gc.collect()
    assert [str(warning.message) for warning in told] == []
    assert participant.loading.empty()

"""What a packed message may cost before it is refused."""

import gzip
import tracemalloc

import pytest
from grpc_ends import FakeTurns

from cache_core.rpc.grpc.messages import PREFIX, Messages
from cache_core.rpc.grpc.status import StatusError

LIMIT = 100_000


def test_a_packed_message_is_unpacked_no_further_than_to_the_limit() -> None:
    packed = gzip.compress(bytes(20_000_000))
    assert len(packed) < LIMIT
    messages = Messages(LIMIT, b"gzip", "SERVER", FakeTurns())
    tracemalloc.start()
    try:
        with pytest.raises(StatusError, match="larger than max"):
            messages.feed(PREFIX.pack(1, len(packed)) + packed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000

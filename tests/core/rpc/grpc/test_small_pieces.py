"""A message that comes in pieces of a few bytes takes as much memory as it counts."""

import tracemalloc

from grpc_ends import FakeTurns

from cache_core.rpc.grpc.messages import Messages, prefixed

SIZE = 1 << 16


def test_a_message_in_pieces_of_two_bytes_keeps_as_many_bytes_as_it_counts() -> None:
    whole = memoryview(prefixed(bytes(SIZE)))
    messages = Messages(SIZE, b"identity", "SERVER", FakeTurns())
    tracemalloc.start()
    try:
        for at in range(0, SIZE, 2):
            messages.feed(bytes(whole[at : at + 2]))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert messages.held == SIZE
    assert kept < 2 * SIZE
    assert messages.feed(bytes(whole[SIZE:])) == [bytes(SIZE)]
    assert messages.held == 0

"""What a hostile caller says to a node: little of it costs little."""

import gzip
import tracemalloc

import pytest
from fake_participant import FakeParticipant
from http2.frame_writer import HELLO, data, headers, settings, window_update
from line import LineEnd
from unread import SIZE, Taking, asked, get
from virtual_time import after, in_virtual_time

from cache_core import Value
from cache_core.connection_memory import Holder
from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.calls import Calls
from cache_core.rpc.channel import CLUSTER, GET
from cache_core.rpc.engine import ConnectionBounds
from cache_core.rpc.grpc.heads import metadata_of
from cache_core.rpc.grpc.messages import PREFIX
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.turns import A_TURN
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import DEFAULT_WINDOW, GREATEST_WINDOW, Setting
from cache_core.rpc.service import BadRequest, Service
from cache_core.rpc.transport.node.calls import PEEK_BYTES
from cache_core.rpc.transport.node.introspection import Health
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.node.server_protocol import ServerProtocol
from cache_core.rpc.wire.codec import ROWS

HELD = {f"{number}": Value(bytes(SIZE)) for number in range(40)}
ROW_OF = {row.method: row for row in ROWS}


class Caller:
    """A client of a node of its own."""

    def __init__(self, hello: bytes) -> None:
        self.participant = FakeParticipant(HELD)
        self.node = NodeCalls(
            Service(self.participant), Health(), ConnectionBounds(50 * SIZE, 200 * SIZE)
        )
        self.protocol = Taking()
        self.server = ServerProtocol(self.node, Bounds(), set())
        self.at_server = LineEnd(self.server)
        self.end = LineEnd(self.protocol)
        self.end.join(self.at_server)
        self.end.write(HELLO + hello)


def test_a_field_of_thousands_of_parts_has_no_value() -> None:
    name = b"a" * 10_000 + b"-bin"
    tracemalloc.start()
    try:
        assert metadata_of([(name, b"," * 10_000)]) == ()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 200_000
    assert metadata_of([(b"a-bin", b"YQ,Yg")]) == (("a-bin", b"a"), ("a-bin", b"b"))


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("Invalidate", pb.InvalidateRequest(items=[pb.Invalidation()] * 32_769)),
        ("Invalidate", pb.InvalidateRequest(unreached=["a:1"] * 2_049)),
    ],
)
async def test_a_message_that_lists_too_much_is_refused_before_it_is_read(
    method: str, request_: pb.InvalidateRequest
) -> None:
    calls = Calls(Service(FakeParticipant()))
    with pytest.raises(BadRequest, match="a message should have at most"):
        await calls.receive(ROW_OF[method], request_.SerializeToString(), None)


@in_virtual_time
async def test_what_is_unpacked_in_part_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(b"")
    await after(0.01)
    idle = caller.node.memory.total
    most = list[int]()
    truly = caller.node.memory.hold

    def hold(holder: Holder, size: int) -> None:
        truly(holder, size)
        most.append(caller.node.memory.total)

    monkeypatch.setattr(caller.node.memory, "hold", hold)
    packed = gzip.compress(bytes(4_000_000))
    message = PREFIX.pack(1, len(packed)) + packed
    block = request_block(GET, "n", (("grpc-encoding", "gzip"),))
    for number in range(3):
        caller.end.write(headers(2 * number + 1, block, end=False))
        caller.end.write(data(2 * number + 1, message, end=True))
    await after(0.01)
    assert max(most) - idle > 1_000_000
    caller.end.abort()
    await after(0.01)
    assert caller.node.memory.total == 0


SHUT_STREAMS = settings({Setting.INITIAL_WINDOW_SIZE: 0}) + window_update(
    0, GREATEST_WINDOW - DEFAULT_WINDOW
)


@pytest.mark.parametrize(
    ("hello", "storm"),
    [
        (
            SHUT_STREAMS,
            b"".join(settings({Setting.INITIAL_WINDOW_SIZE: size}) for size in range(1, 400)),
        ),
        (b"", window_update(0, 1) * 3_000),
    ],
    ids=["settings", "window updates"],
)
@in_virtual_time
async def test_storms_that_let_byte_after_byte_leave_do_not_pay_for_themselves(
    hello: bytes, storm: bytes
) -> None:
    caller = Caller(hello)
    caller.participant.held = {"k": Value(bytes(8_000))}
    await after(0.01)
    for number in range(500):
        caller.end.write(get(2 * number + 1, "k"))
    await after(0.01)
    caller.end.write(storm)
    await after(0.01)
    assert caller.at_server.is_over
    assert b"too many" in caller.protocol.taken


@in_virtual_time
async def test_peeks_of_many_keys_are_answered_over_several_turns() -> None:
    caller = Caller(b"")
    await after(0.01)
    peek = pb.BatchGetRequest(keys=["none"] * 1_000, groups=["g"]).SerializeToString()
    count = 3 * A_TURN // (1_000 * PEEK_BYTES)
    said = b"".join(asked(2 * n + 1, CLUSTER + "BatchPeek", peek) for n in range(count))
    caller.server.data_received(said)
    at_once = len(caller.participant.asked)
    assert at_once < count * 1_000
    await after(0.01)
    assert len(caller.participant.asked) == count * 1_000
    caller.end.abort()
    await after(0.01)

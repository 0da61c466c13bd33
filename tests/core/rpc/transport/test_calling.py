"""When a call is made again: as gRFC A6 has it for what the node has not looked at."""

from collections.abc import Sequence
from typing import Final

import pytest
from odd_node import OddConnection, odd_node

from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.client import LEAST_STREAMS
from cache_core.rpc.transport.answers import Answer
from cache_core.rpc.transport.calling import Calling
from cache_core.rpc.transport.way import Way

BLOCK: Final = request_block("/s/One", "n", ())
ROUNDS: Final = 3

NEVER_LEFT: Final = Ended(StatusCode.UNAVAILABLE, "it was not sent", never_left=True)
REFUSED: Final = Ended(StatusCode.UNAVAILABLE, "it was refused", was_refused=True)
LOST: Final = Ended(StatusCode.UNAVAILABLE, "the connection was lost")
DONE: Final = Ended(StatusCode.OK, "")


class EndingWay(Way):
    """A way by which calls end one after the other as they are told."""

    def __init__(self, ends: Sequence[Ended]) -> None:
        self.asked: list[tuple[bytes, bytes]] = []
        self._ends = iter(ends)

    def ask(self, call: ClientCall) -> None:
        self.asked.append((call.block, call.message))
        call.caller.ended(call, next(self._ends))


class Noted(Calling):
    """A call that notes how it ended."""

    def __init__(self, way: Way) -> None:
        super().__init__(way)
        self.ends: list[Ended] = []

    def message(self, _call: ClientCall, _message: bytes, /) -> None:
        raise AssertionError

    def over(self, end: Ended) -> None:
        self.ends.append(end)


@pytest.mark.parametrize(
    "ends",
    [
        [DONE],
        [LOST],
        [REFUSED, DONE],
        [REFUSED, REFUSED],
        [NEVER_LEFT] * 10 + [DONE],
        [REFUSED, NEVER_LEFT, NEVER_LEFT, DONE],
        [NEVER_LEFT, NEVER_LEFT, REFUSED, DONE],
        [NEVER_LEFT, REFUSED, NEVER_LEFT, REFUSED],
    ],
)
def test_a_call_is_made_again_while_it_has_not_left_and_once_when_it_was_refused(
    ends: Sequence[Ended],
) -> None:
    way = EndingWay([*ends, LOST, LOST])
    call = Noted(way)
    call.call(BLOCK, b"630")
    assert way.asked == [(BLOCK, b"630")] * len(ends)
    assert call.ends == [ends[-1]]


async def test_calls_that_wait_for_room_outlast_any_number_of_goodbyes() -> None:
    def then(connection: OddConnection, call: ServerCall, message: bytes) -> None:
        held.append((connection, call, message))
        if len(node.connections) > ROUNDS:
            answer()
        elif len(held) == LEAST_STREAMS * len(node.connections):
            connection.session.connection.goaway()

    def answer() -> None:
        for connection, call, message in held:
            connection.session.answer(call, message)
            connection.flush()
        held.clear()

    held: list[tuple[OddConnection, ServerCall, bytes]] = []
    async with odd_node(then, Bounds(streams=LEAST_STREAMS)) as node:
        way = Way(node.address)
        calls = [Answer(way, BLOCK, b"%d" % n) for n in range(ROUNDS * LEAST_STREAMS + 5)]
        found = [await call.wait() for call in calls]
        assert [message for message, _ in found] == [b"%d" % n for n in range(len(calls))]
        assert len(node.connections) == ROUNDS + 1
        await way.aclose()

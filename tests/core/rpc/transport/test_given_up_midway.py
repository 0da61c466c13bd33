"""Calls that are given up while something of them is being told."""

from typing import Final

import pytest
from fake_participant import ask
from grpc_ends import Ends
from odd_node import OddConnection, odd_node

from cache_core.errors import CacheError, UnexpectedStatus
from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.client_session import ClientSession
from cache_core.rpc.grpc.messages import prefixed
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.key_calls import BatchCall
from cache_core.rpc.transport.answers import Answer
from cache_core.rpc.transport.calling import Calling
from cache_core.rpc.transport.way import Way

BLOCK: Final = request_block("/s/One", "n", ())
NO_MESSAGE: Final = b"\xff"
"""What no message of the protocol can be read from."""


def thrice(connection: OddConnection, call: ServerCall, message: bytes) -> None:
    """Answer with the message three times, in one frame of data; with another one only once."""
    if message != NO_MESSAGE:
        connection.session.answer(call, message)
        return
    outlet = connection.session.connection.outlet
    connection.session.send(call, b"")
    outlet.data(call.stream, prefixed(message) * 3)


def test_no_more_messages_come_to_who_gives_up_at_the_first_of_a_frame() -> None:
    ends = Ends()

    def answer(call: ServerCall, _: bytes) -> None:
        ends.server.send(call, b"0")
        data = b"".join(prefixed(each) for each in (b"1", b"2", b"3"))
        ends.server.connection.outlet.data(call.stream, data)

    ends.handler.then = answer
    asked, caller = ends.call()
    caller.then = lambda call: ends.client.give_up(call) if len(caller.messages) == 2 else None
    ends.pump()
    assert (caller.messages, caller.ends) == ([b"0", b"1"], [])
    assert asked.stream is not None
    assert asked.stream.is_closed


async def test_a_batch_whose_answer_can_not_be_read_fails_once() -> None:
    async with odd_node(thrice) as node:
        way = Way(node.address)
        found: list[int | CacheError] = []
        batch = BatchCall(way, "n", [ask("k")], error_of, found.append)
        batch.call(BLOCK, NO_MESSAGE)
        assert (await Answer(way, BLOCK, b"later").wait())[0] == b"later"
        assert [type(each) for each in found] == [UnexpectedStatus]
        await way.aclose()


def error_of(end: Ended) -> CacheError:
    return UnexpectedStatus(end.words, status=end.code.name, node="n")


class WayOn(Way):
    """The way on a connection that is there; notes each call."""

    def __init__(self, asking: ClientSession) -> None:
        self._asking = asking
        self.asked: list[bytes] = []

    def ask(self, call: ClientCall) -> None:
        self.asked.append(call.message)
        self._asking.ask(call)


class Noted(Calling):
    """A call that notes how it ended."""

    def __init__(self, way: Way) -> None:
        super().__init__(way)
        self.ends: list[Ended] = []

    def message(self, _call: ClientCall, _message: bytes, /) -> None:
        raise AssertionError

    def over(self, end: Ended) -> None:
        self.ends.append(end)


@pytest.mark.parametrize("how", ["goodbye", "lost"])
def test_a_call_that_is_given_up_as_others_are_given_back_is_not_told_nor_made_again(
    how: str,
) -> None:
    ends = Ends(Bounds(streams=1))
    ends.pump()
    _, running = ends.call(b"runs")
    ends.pump()
    _, first = ends.call(b"waits")
    way = WayOn(ends.client)
    second = Noted(way)
    second.call(BLOCK, b"waits, too")
    running.at_end = first.at_end = lambda _: second.give_up()
    if how == "goodbye":
        ends.server.connection.goaway(1)
        ends.to_client()
        assert running.ends == []
    else:
        ends.client.end(Ended(StatusCode.UNAVAILABLE, "lost"))
        assert len(running.ends) == 1
    assert first.end.never_left
    assert second.ends == []
    assert way.asked == [b"waits, too"]


def test_a_call_that_is_not_given_up_is_made_again_as_others_are_given_back() -> None:
    ends = Ends(Bounds(streams=1))
    ends.pump()
    ends.call(b"runs")
    way = WayOn(ends.client)
    waiting = Noted(way)
    waiting.call(BLOCK, b"waits")
    ends.server.connection.goaway(1)
    ends.to_client()
    assert way.asked == [b"waits"] * 2

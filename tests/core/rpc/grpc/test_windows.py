"""Ends that take little at a time."""

import pytest
from grpc_ends import Ends

from cache_core.rpc.grpc.client_call import ClientCall
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import DEFAULT_WINDOW


@pytest.mark.parametrize("window", [1, 2, 5, 6, 100])
def test_an_answer_gets_through_a_window_of_any_size(window: int) -> None:
    ends = Ends(client=Bounds(streams=0, window=window))
    ends.handler.then = ends.server.answer
    callers = [ends.call(b"%d" % number * 100)[1] for number in range(10)]
    ends.pump()
    assert [caller.messages for caller in callers] == [[b"%d" % n * 100] for n in range(10)]
    assert ends.handler.faults == ends.owner.faults == []


@pytest.mark.parametrize("window", [1, 2, 5, 6, 100])
def test_a_request_gets_through_a_window_of_any_size(window: int) -> None:
    ends = Ends(Bounds(window=window))
    ends.handler.then = ends.server.answer
    ends.pump()
    callers = [ends.call(b"%d" % number * 100)[1] for number in range(10)]
    ends.pump()
    assert [caller.messages for caller in callers] == [[b"%d" % n * 100] for n in range(10)]


def test_large_messages_of_many_calls_go_both_ways() -> None:
    sizes = [0, 1, 16_379, 16_380, 65_530, 65_531, 1 << 20, (1 << 22) + 5]
    ends = Ends(max_message=1 << 23, max_held=1 << 24)
    ends.handler.then = ends.server.answer
    callers = [ends.call(bytes(size))[1] for size in sizes]
    ends.pump()
    assert [list(map(len, caller.messages)) for caller in callers] == [[size] for size in sizes]


def test_a_message_that_has_to_wait_is_told_when_it_has_left() -> None:
    ends = Ends(client=Bounds(streams=0, window=100))
    _, caller = ends.call()
    ends.pump()
    (call,) = ends.handler.calls
    assert ends.server.send(call, b"x" * 95)
    assert not ends.server.send(call, b"y")
    assert ends.handler.empty == []
    ends.pump()
    assert ends.handler.empty == [call]
    assert caller.messages == [b"x" * 95, b"y"]


def test_a_call_that_is_given_up_leaves_nothing_that_waits() -> None:
    ends = Ends(client=Bounds(streams=0, window=100))
    asked, _ = ends.call()
    ends.pump()
    ends.server.answer(ends.handler.calls[0], b"x" * 1_000)
    ends.to_client()
    ends.client.give_up(asked)
    ends.pump()
    assert ends.server.connection.outlet.queued == 0
    assert ends.server.connection.streams == {}
    assert ends.handler.gone == ends.handler.calls


def pausing(call: ClientCall) -> None:
    call.is_paused = True


def test_of_a_stream_that_is_paused_no_more_comes_than_a_window() -> None:
    ends = Ends(client=Bounds(streams=0, window=1_000))
    asked, caller = ends.call()
    caller.then = pausing
    ends.pump()
    (call,) = ends.handler.calls
    for _ in range(10):
        ends.server.send(call, b"x" * 295)
        ends.pump()
    ends.server.finish(call)
    ends.pump()
    assert len(caller.messages) == 3
    asked.go_on()
    ends.pump()
    assert 3 < len(caller.messages) < 10
    caller.then = lambda _: None
    asked.go_on()
    ends.pump()
    assert len(caller.messages) == 10
    assert caller.end.code is StatusCode.OK


def test_a_stream_that_is_paused_holds_up_no_other() -> None:
    ends = Ends(client=Bounds(streams=0, window=1_000))
    _, caller = ends.call()
    caller.then = pausing
    ends.pump()
    (call,) = ends.handler.calls
    for _ in range(10):
        ends.server.send(call, b"x" * 295)
    ends.handler.then = ends.server.answer
    others = [ends.call(b"630")[1] for _ in range(300)]
    ends.pump()
    assert {tuple(other.messages) for other in others} == {(b"630",)}
    assert len(caller.messages) == 3


def test_streams_share_a_connections_window() -> None:
    client = Bounds(streams=0, window=1 << 24, connection_window=DEFAULT_WINDOW)
    ends = Ends(client=client, max_message=1 << 24)
    callers = [ends.call()[1] for _ in range(4)]
    ends.pump()
    for call in ends.handler.calls:
        ends.server.answer(call, b"x" * (1 << 20))
    ends.pump()
    assert [len(caller.messages[0]) for caller in callers] == [1 << 20] * 4

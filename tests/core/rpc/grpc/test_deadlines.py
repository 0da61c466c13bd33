"""Deadlines count from a call's header, also for what waits."""

from functools import partial

import pytest
from grpc_ends import Ends

from cache_core.rpc.grpc.messages import prefixed
from cache_core.rpc.grpc.requests import request_block, timed
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import DATA, DEFAULT_WINDOW, END_STREAM

NARROW = Bounds(streams=0, connection_window=DEFAULT_WINDOW)


def head(number: int, seconds: float) -> bytes:
    return frames.headers(number, timed(request_block("/s/One", "n"), seconds), end=False)


def data(number: int, payload: bytes, *, end: bool = True) -> bytes:
    return frames.frame(DATA, END_STREAM if end else 0, number, payload)


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_call_whose_message_comes_late_is_not_begun(pieces: int) -> None:
    ends = Ends()
    ends.pump()
    server = ends.server.connection
    server.receive(head(1, 1.0))
    ends.clock.tick(1.5)
    message = prefixed(b"630")
    if pieces == 1:
        server.receive(data(1, message))
    else:
        server.receive(data(1, message[:6], end=False) + data(1, message[6:]))
    assert ends.handler.messages == []
    assert b"grpc-status" in server.outlet.take()
    assert server.streams == {}


def test_a_call_whose_message_comes_in_time_is_begun() -> None:
    ends = Ends()
    ends.pump()
    ends.server.connection.receive(head(1, 1.0))
    ends.clock.tick(0.9)
    ends.server.connection.receive(data(1, prefixed(b"630")))
    assert ends.handler.messages == [b"630"]
    assert ends.handler.calls[0].deadline == pytest.approx(1_001.0)


def test_calls_without_their_message_end_with_their_deadline() -> None:
    ends = Ends()
    ends.pump()
    for number in range(1, 20, 2):
        ends.server.connection.receive(head(number, float(number)))
    ends.clock.tick(10)
    ends.server.end_late()
    assert sorted(ends.server.connection.streams) == [11, 13, 15, 17, 19]


def test_a_call_that_runs_is_left_to_its_own_deadline() -> None:
    ends = Ends()
    ends.pump()
    ends.server.connection.receive(head(1, 1.0) + data(1, prefixed(b"630")))
    ends.clock.tick(10)
    ends.server.end_late()
    assert list(ends.server.connection.streams) == [1]


def test_what_waits_for_room_ends_with_its_deadline() -> None:
    ends = Ends(client=NARROW, max_held=100_000)
    ends.to_client()
    ends.handler.then = lambda call, _: ends.server.answer(call, bytes(40_000))
    callers = [ends.call(b"%d" % number, seconds=5.0)[1] for number in range(10)]
    ends.to_server()
    begun = len(ends.handler.messages)
    assert begun < 10
    ends.clock.tick(6)
    ends.server.end_late()
    ends.pump()
    assert len(ends.handler.messages) == begun
    assert [caller.end.code for caller in callers[begun:]] == [StatusCode.DEADLINE_EXCEEDED] * (
        10 - begun
    )


def test_a_call_that_waited_too_long_for_room_is_not_begun() -> None:
    ends = Ends(client=NARROW, max_held=100_000)
    ends.to_client()
    ends.handler.then = lambda call, _: ends.server.answer(call, bytes(40_000))
    callers = [ends.call(b"%d" % number, seconds=5.0)[1] for number in range(10)]
    ends.to_server()
    begun = len(ends.handler.messages)
    ends.clock.tick(6)
    ends.pump()
    assert len(ends.handler.messages) == begun
    assert {caller.end.code for caller in callers[begun:]} == {StatusCode.DEADLINE_EXCEEDED}


def test_an_answer_that_waits_ends_with_its_deadline() -> None:
    ends = Ends()
    ends.pump()
    _, caller = ends.call(b"630", seconds=1.0)
    ends.to_server()
    (call,) = ends.handler.calls
    ends.server.backlog.wait(call, partial(ends.server.answer, call, b"late"), 4)
    ends.clock.tick(2)
    ends.server.end_late()
    ends.to_client()
    assert caller.end.code is StatusCode.DEADLINE_EXCEEDED
    assert ends.handler.gone == [call]
    assert ends.server.backlog.can_hold(100_000)

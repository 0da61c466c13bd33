"""Callers that fail when they are told of their calls."""

import logging

import pytest
from grpc_ends import Ends, FakeCaller

from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds


def failing(_: ClientCall) -> None:
    raise ZeroDivisionError


def test_a_caller_that_fails_by_a_message_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    ends = Ends()
    ends.handler.then = ends.server.answer
    callers = [ends.call(b"%d" % number)[1] for number in range(3)]
    callers[1].then = failing
    ends.pump()
    assert [caller.messages for caller in callers] == [[b"0"], [b"1"], [b"2"]]
    assert [caller.end.code for caller in callers] == [StatusCode.OK] * 3
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_caller_that_fails_by_the_end_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    ends = Ends(Bounds(streams=2))
    ends.pump()
    callers = [ends.call()[1] for _ in range(4)]
    for caller in callers:
        caller.at_end = failing
    ends.client.end(Ended(StatusCode.UNAVAILABLE, "the connection was lost"))
    assert [caller.end.code for caller in callers] == [StatusCode.UNAVAILABLE] * 4
    assert len(caplog.records) == 4


def test_a_caller_that_fails_when_it_is_refused_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ends = Ends(Bounds(streams=1))
    ends.pump()
    callers: list[FakeCaller] = [ends.call()[1] for _ in range(3)]
    callers[1].at_end = failing
    ends.to_server()
    ends.server.connection.goaway(1)
    ends.to_client()
    assert [len(caller.ends) for caller in callers] == [0, 1, 1]
    assert len(caplog.records) == 1

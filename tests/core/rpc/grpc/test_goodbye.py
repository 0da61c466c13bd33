"""Calls on a connection that ends."""

import pytest
from grpc_ends import Ends, FakeCaller

from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.status import OF_RESET, StatusCode
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import ErrorCode


def test_calls_above_the_last_that_is_answered_were_refused() -> None:
    ends = Ends()
    callers = [ends.call()[1] for _ in range(3)]
    ends.pump()
    ends.server.connection.goaway(3)
    ends.to_client()
    assert [len(caller.ends) for caller in callers] == [0, 0, 1]
    assert callers[2].end.was_refused
    for call in ends.handler.calls:
        ends.server.answer(call, b"630")
    ends.pump()
    assert [caller.messages for caller in callers] == [[b"630"], [b"630"], []]
    assert ends.owner.goodbyes == 1
    assert ends.client.is_leaving
    assert ends.client.is_idle


def test_calls_that_waited_for_room_have_never_left() -> None:
    ends = Ends(Bounds(streams=1))
    ends.pump()
    callers = [ends.call()[1] for _ in range(3)]
    ends.to_server()
    ends.server.connection.goaway()
    ends.to_client()
    assert [[end.never_left for end in caller.ends] for caller in callers] == [[], [True], [True]]


def test_a_call_that_is_not_written_when_a_goodbye_comes_has_never_left() -> None:
    ends = Ends()
    _, written = ends.call()
    ends.to_server()
    _, unwritten = ends.call()
    ends.server.connection.goaway(0)
    ends.to_client()
    assert [written.end.was_refused, written.end.never_left] == [True, False]
    assert [unwritten.end.was_refused, unwritten.end.never_left] == [False, True]


@pytest.mark.parametrize("last", [0, 1, (1 << 31) - 1])
def test_who_is_refused_learns_of_the_goodbye_first(last: int) -> None:
    ends = Ends(Bounds(streams=2))
    ends.pump()
    seen: list[int] = []
    for _ in range(4):
        _, caller = ends.call()
        caller.at_end = lambda _: seen.append(ends.owner.goodbyes)
    ends.to_server()
    ends.server.connection.goaway(last)
    ends.to_client()
    assert seen == [1] * (4 - min(2, (last + 1) // 2))


def test_of_two_goodbyes_the_second_refuses_what_crossed_the_first() -> None:
    ends = Ends()
    callers = [ends.call()[1]]
    ends.pump()
    ends.server.connection.goaway()
    crossing = ends.call()[1]
    ends.server.connection.refuses = True
    ends.server.connection.goaway(ends.server.connection.last)
    ends.pump()
    assert callers[0].ends == []
    assert crossing.end.was_refused
    ends.server.answer(ends.handler.calls[0], b"630")
    ends.pump()
    assert callers[0].messages == [b"630"]


def test_a_goodbye_in_the_midst_of_an_answer_leaves_it_whole() -> None:
    ends = Ends(client=Bounds(streams=0, window=100))
    _, caller = ends.call()
    ends.pump()
    (call,) = ends.handler.calls
    ends.server.send(call, b"a" * 1_000)
    ends.server.connection.goaway(1)
    ends.pump()
    ends.server.finish(call)
    ends.pump()
    assert (caller.messages, caller.end.code) == ([b"a" * 1_000], StatusCode.OK)


@pytest.mark.parametrize("code", [*ErrorCode, 99])
def test_a_call_that_is_reset_ends_as_its_code_says(code: int) -> None:
    ends = Ends()
    _, caller = ends.call()
    ends.pump()
    ends.client.receive(frames.frame(3, 0, 1, code.to_bytes(4)))
    known = code in ErrorCode.__members__.values()
    expected = OF_RESET.get(ErrorCode(code), StatusCode.INTERNAL) if known else StatusCode.INTERNAL
    assert caller.end.code is expected
    assert caller.end.was_refused is (code == ErrorCode.REFUSED_STREAM)
    assert ends.client.is_idle


def test_all_calls_end_with_the_connection() -> None:
    ends = Ends(Bounds(streams=2))
    ends.pump()
    callers = [ends.call()[1] for _ in range(4)]
    ends.to_server()
    ends.client.end(Ended(StatusCode.UNAVAILABLE, "the connection was lost"))
    assert {(caller.end.code, caller.end.words) for caller in callers} == {
        (StatusCode.UNAVAILABLE, "the connection was lost")
    }
    assert [caller.end.never_left for caller in callers] == [False, False, True, True]
    assert not any(caller.end.was_refused for caller in callers)
    assert ends.client.is_idle


@pytest.mark.parametrize("has_said_something", [False, True])
def test_a_call_that_was_not_written_when_the_connection_ends_has_never_left(
    has_said_something: bool,
) -> None:
    ends = Ends()
    if has_said_something:
        ends.pump()
    ends.call()
    ends.to_server()
    _, caller = ends.call()
    ends.client.end(Ended(StatusCode.UNAVAILABLE, "the connection was lost"))
    assert caller.end.never_left is has_said_something


def test_a_call_that_is_made_from_the_end_of_another_does_not_go_there() -> None:
    ends = Ends(Bounds(streams=1))
    other = Ends()
    other.handler.then = other.server.answer
    callers: list[FakeCaller] = []

    def again(call: ClientCall) -> None:
        assert ends.owner.goodbyes == 1
        caller = FakeCaller()
        callers.append(caller)
        other.client.ask(ClientCall(call.block, call.message, caller))

    ends.pump()
    for number in range(3):
        ends.call(b"%d" % number)[1].at_end = again
    ends.server.connection.goaway(0)
    ends.to_client()
    other.pump()
    assert [caller.messages for caller in callers] == [[b"0"], [b"1"], [b"2"]]
    assert ends.client.is_idle

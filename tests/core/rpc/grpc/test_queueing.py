"""More calls than the other end takes at a time."""

import pytest
from grpc_ends import Ends

from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.client import LEAST_STREAMS
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import GREATEST_STREAM, PUSH_PROMISE


def test_calls_wait_until_the_other_end_takes_one_more() -> None:
    ends = Ends(Bounds(streams=2))
    ends.pump()
    callers = [ends.call(b"%d" % number)[1] for number in range(5)]
    ends.pump()
    assert ends.handler.messages == [b"0", b"1"]
    for place in range(5):
        ends.server.answer(ends.handler.calls[place], b"630")
        ends.pump()
        assert len(ends.handler.messages) == min(5, place + 3)
    assert [caller.messages for caller in callers] == [[b"630"]] * 5
    assert ends.handler.messages == [b"0", b"1", b"2", b"3", b"4"]
    assert ends.client.is_idle


def test_a_call_that_is_given_up_makes_room_for_the_next() -> None:
    ends = Ends(Bounds(streams=1))
    ends.pump()
    first, _ = ends.call(b"0")
    _, caller = ends.call(b"1")
    ends.pump()
    ends.client.give_up(first)
    ends.to_server()
    assert ends.handler.messages == [b"0", b"1"]
    assert caller.ends == []


def test_any_number_of_calls_may_be_given_up_as_their_answers_come() -> None:
    """As those do that have run out of time at both ends at once."""
    ends = Ends()
    ends.handler.then = lambda call, _: ends.server.answer(call, b"630")
    ends.pump()
    for _ in range(4000):
        late, caller = ends.call(b"0")
        ends.to_server()
        ends.client.give_up(late)
        ends.to_client()
        ends.to_server()
        assert caller.messages == []
    assert ends.owner.faults == ends.handler.faults == []
    _, caller = ends.call(b"1")
    ends.pump()
    assert caller.messages == [b"630"]


def test_a_call_that_waits_can_be_given_up() -> None:
    ends = Ends(Bounds(streams=1))
    ends.pump()
    ends.call(b"0")
    waiting, caller = ends.call(b"1")
    _, last = ends.call(b"2")
    ends.client.give_up(waiting)
    ends.client.give_up(waiting)
    ends.pump()
    ends.handler.then = ends.server.answer
    ends.server.answer(ends.handler.calls[0], b"")
    ends.pump()
    assert ends.handler.messages == [b"0", b"2"]
    assert (caller.ends, last.messages) == ([], [b"2"])


def test_until_the_other_end_says_how_many_calls_it_takes_it_is_asked_few() -> None:
    ends = Ends(Bounds(streams=1_000))
    callers = [ends.call()[1] for _ in range(3_000)]
    ends.to_server()
    assert len(ends.handler.calls) == LEAST_STREAMS
    ends.to_client()
    ends.to_server()
    assert len(ends.handler.calls) == 1_000
    ends.handler.then = ends.server.answer
    for call in list(ends.handler.calls):
        ends.server.answer(call, b"630")
    ends.pump()
    assert {caller.end.code for caller in callers} == {StatusCode.OK}


def test_an_end_that_takes_none_yet_may_take_some_later() -> None:
    ends = Ends(Bounds(streams=0))
    ends.pump()
    _, caller = ends.call(b"630")
    ends.pump()
    assert ends.handler.calls == []
    ends.client.receive(b"\0\0\x06\x04\0\0\0\0\0" + b"\0\x03" + (1).to_bytes(4))
    assert len(ends.client.connection.streams) == 1
    assert caller.ends == []


@pytest.mark.parametrize("count", [1, 3])
def test_a_call_over_the_bound_is_refused_and_may_be_made_again(count: int) -> None:
    ends = Ends(Bounds(streams=2))
    callers = [ends.call()[1] for _ in range(2 + count)]
    ends.pump()
    refused = [caller.end for caller in callers[2:]]
    assert [end.was_refused for end in refused] == [True] * count
    assert {end.code for end in refused} == {StatusCode.UNAVAILABLE}
    assert [caller.ends for caller in callers[:2]] == [[], []]


def test_a_connection_whose_numbers_are_used_up_takes_no_more_calls() -> None:
    ends = Ends(Bounds(streams=1))
    ends.pump()
    ends.client.connection.last = GREATEST_STREAM - 2
    _, last = ends.call(b"last")
    assert ends.owner.goodbyes == 1
    assert ends.client.is_leaving
    ends.handler.then = ends.server.answer
    ends.pump()
    assert last.messages == [b"last"]
    assert ends.client.is_idle


def test_calls_that_wait_when_the_numbers_are_used_up_are_given_back() -> None:
    ends = Ends(Bounds(streams=1))
    ends.pump()
    ends.client.connection.last = GREATEST_STREAM - 4
    callers = [ends.call()[1] for _ in range(3)]
    ends.handler.then = ends.server.answer
    ends.pump()
    assert [len(caller.messages) for caller in callers] == [1, 1, 0]
    assert callers[2].end.never_left


def test_of_calls_that_are_given_up_together_none_is_begun_for_another() -> None:
    ends = Ends(Bounds(streams=10))
    ends.pump()
    calls = [ends.call()[0] for _ in range(1_000)]
    _, last = ends.call(b"last")
    ends.handler.then = ends.server.answer
    ends.to_server()
    ends.handler.messages.clear()
    for call in calls:
        ends.client.give_up(call)
    ends.pump()
    assert ends.handler.messages == [b"last"]
    assert last.messages == [b"last"]


def test_calls_that_wait_on_a_connection_that_fails_are_not_begun_there() -> None:
    ends = Ends(Bounds(streams=1))
    ends.pump()
    _, first = ends.call()
    _, second = ends.call()
    ends.handler.then = ends.server.answer
    ends.to_server()
    answer = ends.server.connection.outlet.take()
    ends.client.receive(answer + frames.frame(PUSH_PROMISE, 0, 1, bytes(4)))
    assert first.end.code is StatusCode.OK
    assert second.end.never_left
    assert ends.client.is_leaving
    assert len(ends.owner.faults) == 1

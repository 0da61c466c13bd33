"""A client that reads its answers late: what it asked waits, and is bounded."""

from functools import partial

from grpc_ends import Ends, FakeCaller

from cache_core.rpc.grpc.client_call import ClientCall
from cache_core.rpc.grpc.messages import prefixed
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import DEFAULT_WINDOW, GREATEST_WINDOW

HELD = 100_000
"""How many bytes a connection may hold each way."""

SIZE = 40_000
"""The bytes of each answer."""

NARROW = Bounds(streams=0, connection_window=DEFAULT_WINDOW)
WIDE = Bounds(streams=0, window=GREATEST_WINDOW, connection_window=GREATEST_WINDOW)


def answering(client: Bounds) -> Ends:
    """Return ends of which the server answers each call with much."""
    ends = Ends(client=client, max_held=HELD)
    ends.handler.then = lambda call, _: ends.server.answer(call, bytes(SIZE))
    ends.to_client()
    return ends


def held(ends: Ends) -> int:
    outlet = ends.server.connection.outlet
    return outlet.queued + outlet.unwritten


def test_calls_wait_while_too_many_answers_wait_for_windows() -> None:
    ends = answering(NARROW)
    callers = [ends.call(b"%d" % number)[1] for number in range(50)]
    ends.to_server()
    assert HELD < held(ends) <= HELD + SIZE + 5
    ends.pump()
    assert {caller.end.code for caller in callers} == {StatusCode.OK}
    assert ends.handler.messages == [b"%d" % number for number in range(50)]


def test_calls_wait_while_too_many_answers_are_not_written() -> None:
    ends = answering(WIDE)
    callers = [ends.call(b"%d" % number)[1] for number in range(50)]
    for _ in range(3):
        ends.to_server()
        assert HELD < held(ends) <= HELD + SIZE + 5
        ends.to_client()
    ends.pump()
    ends.server.backlog.go_on()
    while ends.to_client():
        ends.server.backlog.go_on()
    assert {caller.end.code for caller in callers} == {StatusCode.OK}


def test_a_call_that_waits_and_is_given_up_is_not_begun() -> None:
    ends = answering(NARROW)
    asked = [ends.call(b"%d" % number)[0] for number in range(10)]
    ends.to_server()
    for call in asked[5:]:
        ends.client.give_up(call)
    ends.pump()
    assert ends.handler.messages == [b"%d" % number for number in range(5)]
    assert ends.handler.gone == []


def test_calls_that_wait_are_kept_up_to_a_bound() -> None:
    ends = answering(NARROW)
    ends.pump()
    connection = ends.client.connection
    callers = []
    for _ in range(12):
        caller = FakeCaller()
        callers.append(caller)
        asked = ClientCall(ends.call()[0].block, b"", caller)
        stream = asked.stream = connection.request(asked.block, asked)
        connection.outlet.data(stream, prefixed(bytes(30_000)), end=True)
    ends.to_server()
    ends.server.connection.outlet.window = 0
    ends.to_client()
    codes = [caller.ends[0].code for caller in callers if caller.ends]
    assert StatusCode.RESOURCE_EXHAUSTED in codes
    refused = codes.count(StatusCode.RESOURCE_EXHAUSTED)
    ends.server.connection.outlet.grant(None, DEFAULT_WINDOW)
    ends.pump()
    codes = [caller.end.code for caller in callers]
    assert codes.count(StatusCode.RESOURCE_EXHAUSTED) == refused
    assert codes.count(StatusCode.OK) == 12 - refused


def test_large_requests_count_until_they_are_answered() -> None:
    ends = Ends(max_held=HELD)
    ends.pump()
    callers = [ends.call(bytes(SIZE))[1] for _ in range(4)]
    ends.pump()
    codes = [caller.end.code for caller in callers if caller.ends]
    assert codes == [StatusCode.RESOURCE_EXHAUSTED] * 2
    for call in ends.handler.calls:
        ends.server.answer(call, b"630")
    _, later = ends.call(bytes(SIZE))
    ends.handler.then = ends.server.answer
    ends.pump()
    assert later.messages == [bytes(SIZE)]


def test_an_answer_that_was_made_late_may_wait_too() -> None:
    ends = Ends(client=NARROW, max_held=HELD)
    callers = [ends.call()[1] for _ in range(5)]
    ends.pump()
    done: list[int] = []

    def answer(place: int) -> None:
        done.append(place)
        ends.server.answer(ends.handler.calls[place], bytes(SIZE))

    for place, call in enumerate(ends.handler.calls):
        if ends.server.backlog.has_room:
            answer(place)
        else:
            ends.server.backlog.wait(call, partial(answer, place))
    assert list(done) == [0, 1, 2]
    ends.pump()
    assert list(done) == [0, 1, 2, 3, 4]
    assert {caller.end.code for caller in callers} == {StatusCode.OK}


def test_answers_that_wait_leave_half_of_what_may_be_held_to_calls() -> None:
    ends = Ends(max_held=HELD)
    ends.call(b"0")
    ends.to_server()
    (call,) = ends.handler.calls
    backlog = ends.server.backlog
    assert backlog.can_hold(HELD // 2)
    assert not backlog.can_hold(HELD // 2 + 1)
    backlog.wait(call, partial(ends.server.answer, call, b"630"), HELD // 2)
    assert not backlog.can_hold(1)
    assert not backlog.is_over
    ends.pump()
    assert backlog.can_hold(HELD // 2)

"""Calls from one end to the other."""

import gc
import gzip
import weakref
from collections.abc import Callable

import pytest
from grpc_ends import CUT, Ends

from cache_core.rpc.grpc.client_call import ClientCall
from cache_core.rpc.grpc.messages import PREFIX
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.server_session import OK
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.framing.literals import block, literal

STEPS = pytest.mark.parametrize("step", [None, 1, 2, 7, 100])


def echoing(ends: Ends) -> None:
    """Have the server answer each call with its message."""
    ends.handler.then = ends.server.answer


@STEPS
def test_a_call_is_answered_with_one_message(step: int | None) -> None:
    ends = Ends(step=step)
    echoing(ends)
    for message in (b"630", b"", b"x" * 16_379, b"x" * 16_380, b"x" * 50_000):
        _, caller = ends.call(message)
        ends.pump()
        assert caller.messages == [message]
        assert (caller.end.code, caller.end.words, caller.end.metadata) == (StatusCode.OK, "", ())
    assert ends.client.is_idle
    assert ends.server.connection.streams == {}


def test_the_answer_comes_whole_wherever_its_bytes_are_split() -> None:
    size = 0
    at = 0
    while at <= size:
        ends = Ends()
        echoing(ends)
        _, caller = ends.call(b"630")
        ends.to_server()
        data = ends.server.connection.outlet.take()
        size = len(data)
        ends.client.receive(data[:at])
        ends.client.receive(data[at:])
        assert (caller.messages, caller.end.code) == ([b"630"], StatusCode.OK)
        at += 1


def test_calls_of_one_turn_are_answered_each_by_its_own() -> None:
    ends = Ends()
    echoing(ends)
    callers = [ends.call(b"%d" % number)[1] for number in range(500)]
    ends.pump()
    assert [caller.messages for caller in callers] == [[b"%d" % n] for n in range(500)]


def test_answers_may_come_in_another_order() -> None:
    ends = Ends()
    callers = [ends.call(b"%d" % number)[1] for number in range(3)]
    ends.pump()
    for call, message in reversed(
        list(zip(ends.handler.calls, ends.handler.messages, strict=True))
    ):
        ends.server.answer(call, message)
        ends.pump()
    assert [caller.messages for caller in callers] == [[b"0"], [b"1"], [b"2"]]


def test_metadata_and_the_time_left_come_with_the_call() -> None:
    ends = Ends()
    fields = (("gaocache-ring", "7"), ("x-bin", b"\0\xff"))
    ends.call(b"", fields=fields, seconds=1.5)
    ends.call(b"", fields=fields, seconds=2.5)
    ends.call(b"", fields=fields)
    ends.pump()
    assert [call.deadline for call in ends.handler.calls] == [1_001.5, 1_002.5, None]
    assert [call.head.metadata for call in ends.handler.calls] == [fields] * 3


def test_what_differs_from_answer_to_answer_is_told_apart() -> None:
    ends = Ends()
    ends.handler.then = lambda call, message: ends.server.answer(
        call, message, OK + literal(CUT, b"hit;" + message)
    )
    callers = [ends.call(b"%d" % number)[1] for number in range(3)]
    ends.pump()
    assert [caller.end.cut for caller in callers] == [b"hit;0", b"hit;1", b"hit;2"]


@STEPS
def test_a_call_may_be_answered_with_many_messages(step: int | None) -> None:
    ends = Ends(step=step)
    _, caller = ends.call()
    ends.pump()
    (call,) = ends.handler.calls
    sent = [b"630", b"", b"x" * 20_000]
    for message in sent:
        assert ends.server.send(call, message)
        ends.pump()
    assert (caller.messages, caller.ends) == (sent, [])
    ends.server.finish(call)
    ends.pump()
    assert (caller.messages, caller.end.code) == (sent, StatusCode.OK)


@STEPS
def test_a_call_may_send_many_messages(step: int | None) -> None:
    ends = Ends(step=step)
    ends.call(b"a", "/s/Many")
    ends.pump()
    assert (ends.handler.messages, len(ends.handler.half)) == ([b"a"], 1)


def test_an_error_has_words_and_metadata() -> None:
    ends = Ends()
    _, caller = ends.call()
    ends.pump()
    details = (("grpc-status-details-bin", b"\x08\x05"), ("x-a", "1"))
    ends.server.fail(ends.handler.calls[0], StatusCode.NOT_FOUND, "Ä not\nexist", details)
    ends.pump()
    end = caller.end
    assert caller.messages == []
    assert (end.code, end.words, end.metadata) == (StatusCode.NOT_FOUND, "Ä not\nexist", details)
    assert not end.was_refused


def test_an_error_alone_is_one_header() -> None:
    ends = Ends()
    ends.call()
    ends.pump()
    ends.server.fail(ends.handler.calls[0], StatusCode.NOT_FOUND, "no")
    data = ends.server.connection.outlet.take()
    assert data[3] == 1  # HEADERS
    assert int.from_bytes(data[:3]) + 9 == len(data)


def test_an_error_may_come_after_messages() -> None:
    ends = Ends()
    _, caller = ends.call()
    ends.pump()
    (call,) = ends.handler.calls
    ends.server.send(call, b"630")
    ends.server.fail(call, StatusCode.ABORTED, "no more")
    ends.pump()
    assert (caller.messages, caller.end.code) == ([b"630"], StatusCode.ABORTED)


def test_an_error_may_have_so_much_to_say_that_it_takes_several_frames() -> None:
    ends = Ends(step=1_000)
    _, caller = ends.call()
    ends.pump()
    details = (("grpc-status-details-bin", bytes(range(256)) * 80),)
    ends.server.fail(ends.handler.calls[0], StatusCode.NOT_FOUND, "no", details)
    ends.pump()
    assert caller.end.metadata == details


def test_a_call_is_answered_once() -> None:
    ends = Ends()
    _, caller = ends.call()
    ends.pump()
    (call,) = ends.handler.calls
    ends.server.answer(call, b"first")
    ends.server.answer(call, b"second")
    ends.server.fail(call, StatusCode.ABORTED, "third")
    ends.server.finish(call)
    ends.pump()
    assert (caller.messages, caller.end.code) == ([b"first"], StatusCode.OK)


def test_a_call_that_is_given_up_is_over_at_both_ends() -> None:
    ends = Ends()
    asked, caller = ends.call()
    ends.pump()
    ends.client.give_up(asked)
    ends.client.give_up(asked)
    ends.pump()
    (call,) = ends.handler.calls
    assert ends.handler.gone == [call]
    ends.server.answer(call, b"late")
    ends.pump()
    assert (caller.messages, caller.ends) == ([], [])
    assert ends.client.is_idle


def test_an_answer_that_crosses_the_giving_up_is_nobodys() -> None:
    ends = Ends()
    echoing(ends)
    asked, caller = ends.call(b"630")
    ends.to_server()
    ends.client.give_up(asked)
    ends.pump()
    assert (caller.messages, caller.ends) == ([], [])
    _, other = ends.call(b"1")
    ends.pump()
    assert other.messages == [b"1"]


def test_a_caller_may_give_up_while_it_takes_a_message() -> None:
    ends = Ends()
    _, caller = ends.call()
    caller.then = ends.client.give_up
    ends.pump()
    (call,) = ends.handler.calls
    for _ in range(3):
        ends.server.send(call, b"630")
    ends.server.finish(call)
    ends.pump()
    assert (caller.messages, caller.ends) == ([b"630"], [])


def test_an_answer_that_comes_before_the_call_has_ended_ends_it() -> None:
    ends = Ends()
    connection = ends.client.connection
    caller_block = request_block("/s/Many", "here:1", ())
    asked = ClientCall(caller_block, b"", ends.call()[1])
    stream = connection.request(caller_block, asked)
    connection.outlet.data(stream, PREFIX.pack(0, 1) + b"a")
    ends.to_server()
    call = ends.handler.calls[-1]
    ends.server.fail(call, StatusCode.ABORTED, "enough")
    connection.outlet.data(stream, PREFIX.pack(0, 1) + b"b")
    ends.pump()
    assert ends.handler.messages[-1] == b"a"
    assert call not in ends.handler.gone
    assert ends.owner.faults == ends.handler.faults == []


@pytest.mark.parametrize("timeout", [b"", b"1000m"])
def test_a_call_may_be_compressed(timeout: bytes) -> None:
    ends = Ends()
    echoing(ends)
    connection = ends.client.connection
    fields = [(b"grpc-encoding", b"gzip"), *([(b"grpc-timeout", timeout)] if timeout else [])]
    asked, caller = ClientCall(b"", b"", ends.call()[1]), ends.call()[1]
    asked.caller = caller
    head = request_block("/s/One", "here:1", ()) + block(fields)
    stream = asked.stream = connection.request(head, asked)
    data = gzip.compress(b"630" * 100)
    connection.outlet.data(stream, PREFIX.pack(1, len(data)) + data, end=True)
    ends.pump()
    assert b"630" * 100 in caller.messages


def test_pings_are_told_to_both() -> None:
    ends = Ends()
    ends.client.connection.ping(b"12345678")
    ends.server.connection.ping(b"12345678")
    ends.pump()
    assert (ends.owner.pongs, ends.handler.pongs) == (1, 1)


def test_a_call_that_fails_while_a_message_waits_ends_behind_it() -> None:
    ends = Ends()
    _, caller = ends.call()
    ends.pump()
    call = ends.handler.calls[0]
    ends.server.send(call, b"x" * 90_000)
    ends.server.fail(call, StatusCode.ABORTED, "no more")
    ends.pump()
    assert (caller.messages, caller.end.code) == ([b"x" * 90_000], StatusCode.ABORTED)


@pytest.mark.parametrize(
    "end",
    [
        lambda ends, call: ends.server.answer(call, b"630"),
        lambda ends, call: ends.server.finish(call),
        lambda ends, call: ends.server.fail(call, StatusCode.NOT_FOUND, "no"),
    ],
    ids=["answered", "finished", "failed"],
)
def test_a_call_that_has_ended_is_freed_without_the_collector(
    end: Callable[[Ends, ServerCall], None],
) -> None:
    ends = Ends()
    ends.call(b"1")
    ends.to_server()
    call = ends.handler.calls.pop()
    freed = weakref.ref(call)
    gc.disable()
    try:
        end(ends, call)
        del call
        ends.pump()
        assert freed() is None
    finally:
        gc.enable()

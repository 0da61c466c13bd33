"""Answers that leave all at once are held to windows and bounds as those are that do not."""

from grpc_ends import Ends
from http2.frame_writer import read_frames

from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import DATA, DEFAULT_WINDOW, GREATEST_WINDOW

HELD = 100_000
"""How many bytes a connection may hold each way."""


def answering(client: Bounds, size: int) -> Ends:
    """Return ends of which the server answers each call with so many bytes."""
    ends = Ends(client=client, max_held=HELD)
    ends.handler.then = lambda call, _: ends.server.answer(call, bytes(size))
    ends.call()
    ends.pump()
    return ends


def test_many_small_answers_keep_to_the_window_of_the_connection() -> None:
    ends = answering(Bounds(streams=0, connection_window=DEFAULT_WINDOW), 8_000)
    left = ends.server.connection.outlet.window
    callers = [ends.call()[1] for _ in range(12)]
    ends.to_server()
    answers = ends.server.connection.outlet.take()
    sent = sum(len(each.payload) for each in read_frames(answers) if each.kind == DATA)
    assert left - 8_005 < sent <= left
    ends.client.receive(answers)
    ends.pump()
    assert [caller.end.code for caller in callers] == [StatusCode.OK] * 12


def test_a_small_answer_keeps_to_the_window_of_its_stream() -> None:
    ends = answering(Bounds(streams=0, window=100), 1_000)
    _, caller = ends.call()
    ends.pump()
    assert ends.owner.faults == []
    assert caller.messages == [bytes(1_000)]


def test_small_answers_that_are_not_written_are_counted() -> None:
    wide = Bounds(streams=0, window=GREATEST_WINDOW, connection_window=GREATEST_WINDOW)
    ends = answering(wide, 1_000)
    callers = [ends.call()[1] for _ in range(300)]
    ends.to_server()
    assert HELD < ends.server.connection.outlet.unwritten <= HELD + 1_005
    while ends.to_client():
        ends.server.backlog.go_on()
    assert [caller.end.code for caller in callers] == [StatusCode.OK] * 300

"""Small messages that unpack to large ones: a turn has its bound, however many come at once."""

import gzip
import zlib
from typing import Final

import pytest
from grpc_ends import Ends, FakeCaller, FakeTurns

from cache_core.rpc.grpc.client_call import ClientCall
from cache_core.rpc.grpc.messages import PREFIX
from cache_core.rpc.grpc.packed import STEP_BYTES
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.server_session import HEADER
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.grpc.turns import A_TURN
from cache_core.rpc.http2.framing.codes import ErrorCode
from cache_core.rpc.http2.framing.literals import block

LARGE: Final = 1 << 22
BOMB: Final = gzip.compress(bytes(LARGE))
GZIP: Final = (("grpc-encoding", "gzip"),)
A_FEW: Final = 6
MOST: Final = A_TURN + STEP_BYTES
"""The most that is unpacked in one turn."""


def packed(*messages: bytes) -> bytes:
    """Return compressed messages as they travel."""
    return b"".join(PREFIX.pack(1, len(message)) + message for message in messages)


def ends(turns: FakeTurns | None = None) -> Ends:
    """Return ends that take messages as large as a bomb, of which the server answers each call."""
    made = Ends(max_message=LARGE, max_held=4 * LARGE, turns=turns)
    made.handler.then = lambda call, message: made.server.answer(call, b"%d" % len(message))
    made.pump()
    return made


def ask(made: Ends, data: bytes, path: str = "/s/One") -> FakeCaller:
    """Make a call of gzip with `data`."""
    caller = FakeCaller()
    asked = ClientCall(request_block(path, "here:1", GZIP), b"", caller)
    stream = asked.stream = made.client.connection.request(asked.block, asked)
    made.client.connection.outlet.data(stream, data, end=True)
    return caller


def has_a_turn(*of: Ends) -> bool:
    """Let all ends say what they have to say, and a turn begin; return whether there was more."""
    has_said = [each.to_server() | each.to_client() for each in of]
    return of[0].turns.next() or any(has_said)


def turns_until_all_is_done(*of: Ends) -> int:
    """Count the turns that it takes."""
    count = 0
    while has_a_turn(*of):
        count += 1
    return count


def test_bombs_in_one_piece_take_as_many_turns_as_they_are_large() -> None:
    made = ends()
    callers = [ask(made, packed(BOMB)) for _ in range(A_FEW)]
    made.to_server()
    assert made.handler.messages == []
    turns = turns_until_all_is_done(made)
    assert [caller.messages for caller in callers] == [[b"%d" % LARGE]] * A_FEW
    assert max(made.turns.spent) <= MOST
    assert A_FEW * LARGE // MOST <= turns <= A_FEW * LARGE // A_TURN + A_FEW


def test_small_messages_are_unpacked_at_once() -> None:
    made = ends()
    for _ in range(100):
        ask(made, packed(gzip.compress(b"630" * 100)))
    made.to_server()
    assert made.handler.messages == [b"630" * 100] * 100


def test_what_comes_behind_a_bomb_waits_and_is_answered_in_its_turn() -> None:
    made = ends()
    _, first = made.call(b"1")
    ask(made, packed(BOMB))
    _, last = made.call(b"22")
    made.to_server()
    assert made.handler.messages == [b"1"]
    made.pump()
    assert [len(message) for message in made.handler.messages] == [1, LARGE, 2]
    assert (first.end.code, last.end.code) == (StatusCode.OK, StatusCode.OK)


def test_what_comes_while_a_bomb_is_unpacked_waits_as_well() -> None:
    made = ends()
    ask(made, packed(BOMB))
    made.to_server()
    _, late = made.call(b"1")
    made.to_server()
    assert made.handler.messages == []
    made.pump()
    assert late.messages == [b"1"]


def test_connections_take_turns() -> None:
    turns = FakeTurns()
    first, second = ends(turns), ends(turns)
    for _ in range(A_FEW):
        ask(first, packed(BOMB))
        ask(second, packed(BOMB))
    while has_a_turn(first, second) and len(first.handler.messages) < A_FEW // 2:
        pass
    assert A_FEW // 2 - 1 <= len(second.handler.messages) <= A_FEW // 2
    turns_until_all_is_done(first, second)
    assert len(first.handler.messages) == len(second.handler.messages) == A_FEW
    assert max(turns.spent) <= MOST


def test_bombs_in_one_frame_are_as_many_messages() -> None:
    made = ends()
    sizes: list[int] = []
    made.handler.then = lambda _, message: sizes.append(len(message))
    caller = ask(made, packed(*[BOMB] * 3), path="/s/Many")
    turns_until_all_is_done(made)
    assert sizes == [LARGE] * 3
    assert max(made.turns.spent) <= MOST
    (call,) = made.handler.half
    made.server.finish(call)
    made.pump()
    assert caller.end.code is StatusCode.OK


def test_a_bomb_beside_another_in_a_call_of_one_message_is_refused() -> None:
    made = ends()
    caller = ask(made, packed(BOMB, BOMB))
    turns_until_all_is_done(made)
    assert caller.end.code is StatusCode.UNIMPLEMENTED
    assert max(made.turns.spent) <= MOST


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (gzip.compress(bytes(2 * LARGE)), StatusCode.RESOURCE_EXHAUSTED),
        (gzip.compress(bytes(LARGE))[:-8], StatusCode.INTERNAL),
        (gzip.compress(bytes(LARGE))[:-8] + bytes(8), StatusCode.INTERNAL),
    ],
    ids=["too large", "cut", "damaged"],
)
def test_what_is_refused_only_once_it_is_unpacked_counts_as_well(
    message: bytes, code: StatusCode
) -> None:
    made = ends()
    callers = [ask(made, packed(message)) for _ in range(A_FEW)]
    turns = turns_until_all_is_done(made)
    assert {caller.end.code for caller in callers} == {code}
    assert max(made.turns.spent) <= MOST
    assert turns >= A_FEW * LARGE // MOST


def test_a_step_that_comes_upon_damage_counts_as_a_whole_one() -> None:
    packing = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    damaged = packing.compress(bytes(STEP_BYTES // 2)) + packing.flush(zlib.Z_FULL_FLUSH) + b"\xff"
    turns = FakeTurns()
    made = ends(turns)
    callers = [ask(made, packed(damaged)) for _ in range(100)]
    made.to_server()
    assert turns.spent[-1] == A_TURN
    turns_until_all_is_done(made)
    assert {caller.end.code for caller in callers} == {StatusCode.INTERNAL}


def test_a_connection_that_fails_in_its_turn_leaves_the_others_theirs() -> None:
    def fail() -> None:
        raise RuntimeError("its listener has failed")

    turns = FakeTurns()
    done: list[str] = []
    turns.wait(fail)
    turns.wait(lambda: done.append("another"))
    with pytest.raises(RuntimeError):
        turns.next()
    turns.next()
    assert done == ["another"]


def test_a_call_that_is_given_up_while_it_is_unpacked_is_not_begun() -> None:
    made = ends()
    ask(made, packed(BOMB))
    made.to_server()
    (stream,) = made.server.connection.streams.values()
    made.server.connection.reset(stream, ErrorCode.CANCEL)
    _, next_one = made.call(b"1")
    made.pump()
    assert made.handler.messages == [b"1"]
    assert next_one.messages == [b"1"]


def bombs(made: Ends, count: int, *, in_one: bool = False) -> None:
    """Have the server answer each call with so many bombs."""

    def then(call: ServerCall, _: bytes) -> None:
        outlet = made.server.connection.outlet
        call.has_header = True
        outlet.headers(call.stream, HEADER + block([(b"grpc-encoding", b"gzip")]))
        for each in [packed(*[BOMB] * count)] if in_one else [packed(BOMB)] * count:
            outlet.data(call.stream, each)
        made.server.finish(call)

    made.handler.then = then


@pytest.mark.parametrize("in_one", [True, False], ids=["in one frame", "a frame each"])
def test_a_client_that_is_answered_with_bombs_takes_them_one_after_another(in_one: bool) -> None:
    made = ends()
    bombs(made, 3, in_one=in_one)
    _, caller = made.call()
    made.to_server()
    made.to_client()
    assert caller.messages == []
    assert caller.ends == []
    turns_until_all_is_done(made)
    assert [len(message) for message in caller.messages] == [LARGE] * 3
    assert caller.end.code is StatusCode.OK
    assert max(made.turns.spent) <= MOST


def test_a_client_that_gives_a_bomb_up_takes_what_comes_behind() -> None:
    made = ends()
    bombs(made, 1)
    call, caller = made.call()
    made.to_server()
    made.handler.then = made.server.answer
    _, behind = made.call(b"1")
    made.to_server()
    made.to_client()
    made.client.give_up(call)
    made.pump()
    assert caller.messages == []
    assert caller.ends == []
    assert behind.messages == [b"1"]


def test_a_client_begins_its_next_calls_once_a_bomb_is_unpacked() -> None:
    made = ends()
    bombs(made, 1)
    made.client.connection.theirs.max_concurrent_streams = 1
    callers = [made.call()[1] for _ in range(3)]
    made.pump()
    assert [len(caller.messages) for caller in callers] == [1] * 3
    assert {caller.end.code for caller in callers} == {StatusCode.OK}

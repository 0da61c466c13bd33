"""Calls by a way to servers that refuse, stop and answer oddly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from http2.frame_writer import goaway, settings
from odd_node import OddConnection, OddNode, echo, nothing, odd_node

from cache_core.address import Address
from cache_core.rpc.grpc.client_call import Ended
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import PREFACE, ErrorCode
from cache_core.rpc.transport.answers import UNREAD_BYTES, Answer, Answers
from cache_core.rpc.transport.way import Way

BLOCK = request_block("/s/One", "n", ())


@asynccontextmanager
async def way_to(node: OddNode) -> AsyncIterator[Way]:
    way = Way(node.address)
    try:
        yield way
    finally:
        await way.aclose()


async def ask(way: Way, message: bytes = b"") -> bytes:
    """Return the message of the answer to a call."""
    return (await Answer(way, BLOCK, message).wait())[0]


async def failure(way: Way) -> tuple[StatusCode, str]:
    with pytest.raises(Ended) as caught:
        await ask(way)
    return caught.value.code, caught.value.words


async def test_calls_share_one_connection() -> None:
    async with odd_node() as node, way_to(node) as way:
        sent = [b"%d" % number for number in range(300)]
        assert await asyncio.gather(*(ask(way, message) for message in sent)) == sent
        assert await ask(way, b"later") == b"later"
        assert len(node.connections) == 1


def refusing(times: int) -> object:
    left = times

    def then(connection: OddConnection, call: ServerCall, message: bytes) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            connection.session.connection.reset(call.stream, ErrorCode.REFUSED_STREAM)
        else:
            echo(connection, call, message)

    return then


async def test_a_call_that_was_refused_is_made_again() -> None:
    async with odd_node(refusing(1)) as node, way_to(node) as way:  # type: ignore[arg-type]
        assert await ask(way, b"630") == b"630"
        assert node.messages == [b"630", b"630"]


async def test_a_call_that_is_refused_again_has_failed() -> None:
    async with odd_node(refusing(2)) as node, way_to(node) as way:  # type: ignore[arg-type]
        assert (await failure(way))[0] is StatusCode.UNAVAILABLE
        assert len(node.messages) == 2


async def test_a_stream_that_was_refused_is_asked_for_again() -> None:
    async with odd_node(refusing(1)) as node, way_to(node) as way:  # type: ignore[arg-type]
        assert [message async for message in Answers(way, BLOCK, b"630")] == [b"630"]
        assert len(node.messages) == 2


async def test_calls_that_a_goodbye_refuses_are_made_again_on_a_new_connection() -> None:
    def then(connection: OddConnection, call: ServerCall, message: bytes) -> None:
        if len(node.connections) > 1:
            echo(connection, call, message)
        elif len(node.messages) == 3:
            connection.session.connection.goaway(1)

    async with odd_node(then) as node, way_to(node) as way:
        asking = [asyncio.create_task(ask(way, b"%d" % number)) for number in range(3)]
        assert await asyncio.gather(*asking[1:]) == [b"1", b"2"]
        first, (connection, call) = asking[0], node.calls.get_nowait()
        assert not first.done()
        connection.session.answer(call, b"0")
        connection.flush()
        assert await first == b"0"
        assert await node.left.get() is connection
        assert len(node.connections) == 2


async def test_a_node_that_turns_connections_away_is_not_dialed_without_a_pause() -> None:
    dialed = 0

    async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dialed
        dialed += 1
        await reader.readexactly(len(PREFACE))
        writer.write(settings() + goaway(0, ErrorCode.ENHANCE_YOUR_CALM))
        writer.close()

    async with await asyncio.start_server(turn_away, "127.0.0.1", 0) as server:
        way = Way(Address(*server.sockets[0].getsockname()))
        failed = [await failure(way) for _ in range(20)]
        await way.aclose()
    assert {code for code, _ in failed} == {StatusCode.UNAVAILABLE}
    assert dialed <= 2


async def test_calls_that_wait_for_room_are_made_elsewhere_after_a_goodbye() -> None:
    def then(connection: OddConnection, call: ServerCall, message: bytes) -> None:
        if len(node.connections) > 1:
            echo(connection, call, message)

    async with odd_node(bounds=Bounds(streams=1)) as node, way_to(node) as way:
        await ask(way)  # so the node has said how many calls it takes
        node.calls.get_nowait()
        node.then = then
        asking = [asyncio.create_task(ask(way, b"%d" % number)) for number in range(5)]
        connection, call = await node.calls.get()
        await asyncio.sleep(0.01)
        connection.session.connection.goaway()
        connection.flush()
        assert await asyncio.gather(*asking[1:]) == [b"1", b"2", b"3", b"4"]
        connection.session.answer(call, b"0")
        connection.flush()
        assert await asking[0] == b"0"


async def test_more_calls_than_the_node_takes_wait_for_each_other() -> None:
    async with odd_node(bounds=Bounds(streams=3)) as node, way_to(node) as way:
        sent = [b"%d" % number for number in range(500)]
        assert await asyncio.gather(*(ask(way, message) for message in sent)) == sent


async def test_calls_that_are_given_up_make_room_for_others() -> None:
    async with odd_node(nothing, Bounds(streams=2)) as node, way_to(node) as way:
        held = [asyncio.create_task(ask(way)) for _ in range(2)]
        for _ in held:
            await node.calls.get()
        others = [asyncio.create_task(ask(way, b"630")) for _ in range(4)]
        await asyncio.sleep(0.01)
        node.then = echo
        for task in held:
            task.cancel()
        assert await asyncio.gather(*others) == [b"630"] * 4


async def test_a_call_whose_connection_breaks_is_unavailable_and_the_next_is_not() -> None:
    async with odd_node(nothing) as node, way_to(node) as way:
        asking = asyncio.create_task(failure(way))
        connection, _ = await node.calls.get()
        connection.transport.abort()
        assert (await asking)[0] is StatusCode.UNAVAILABLE
        node.then = echo
        assert await ask(way, b"630") == b"630"


async def test_a_node_that_breaks_a_rule_is_left_and_its_calls_say_which() -> None:
    async with odd_node(nothing) as node, way_to(node) as way:
        asking = asyncio.create_task(failure(way))
        connection, _ = await node.calls.get()
        connection.transport.write(b"\0\0\0\x05\0\0\0\0\x01")
        code, words = await asking
        assert code is StatusCode.UNAVAILABLE
        assert "rule of HTTP/2" in words
        node.then = echo
        assert await ask(way, b"630") == b"630"
        assert len(node.connections) == 2


@pytest.mark.parametrize("count", [0, 2])
async def test_an_answer_of_no_or_two_messages_is_none(count: int) -> None:
    def then(connection: OddConnection, call: ServerCall, message: bytes) -> None:
        for _ in range(count):
            connection.session.send(call, message)
        connection.session.finish(call)

    async with odd_node(then) as node, way_to(node) as way:
        assert (await failure(way))[0] is StatusCode.UNIMPLEMENTED
        node.then = echo
        assert await ask(way, b"630") == b"630"


async def test_an_error_has_its_code_and_words() -> None:
    def then(connection: OddConnection, call: ServerCall, _message: bytes) -> None:
        connection.session.fail(call, StatusCode.NOT_FOUND, "no Ä")

    async with odd_node(then) as node, way_to(node) as way:
        assert await failure(way) == (StatusCode.NOT_FOUND, "no Ä")


async def test_a_caller_that_is_cancelled_gives_its_call_up() -> None:
    async with odd_node(nothing) as node, way_to(node) as way:
        asking = asyncio.create_task(ask(way))
        connection, call = await node.calls.get()
        asking.cancel()
        node.then = echo
        assert await ask(way, b"630") == b"630"
        assert connection.handler.gone == [call]


async def test_a_stream_that_is_read_slowly_stops_coming() -> None:
    part = bytes(UNREAD_BYTES // 8)
    parts = 64

    def then(connection: OddConnection, call: ServerCall, _message: bytes) -> None:
        for _ in range(parts):
            connection.session.send(call, part)
        connection.session.finish(call)

    async with odd_node(then) as node, way_to(node) as way:
        answers = Answers(way, BLOCK, b"")
        connection, _ = await node.calls.get()
        node.then = echo
        for _ in range(50):
            await ask(way)
        # nobody reads: what came is what is paused at, and a window that was granted before
        outlet = connection.session.connection.outlet
        assert outlet.queued > (parts - 32) * len(part)
        assert [message async for message in answers] == [part] * parts
        assert outlet.queued == 0


async def test_a_stream_that_is_given_up_ends_at_the_node() -> None:
    def then(connection: OddConnection, call: ServerCall, _message: bytes) -> None:
        connection.session.send(call, b"first")

    async with odd_node(then) as node, way_to(node) as way:
        answers = Answers(way, BLOCK, b"")
        assert await anext(answers) == b"first"
        answers.give_up()
        answers.give_up()
        node.then = echo
        assert await ask(way, b"630") == b"630"
        assert len(node.connections[0].handler.gone) == 1
        with pytest.raises(Ended):
            await anext(answers)


async def test_an_error_in_the_midst_of_a_stream_comes_behind_its_messages() -> None:
    def then(connection: OddConnection, call: ServerCall, _message: bytes) -> None:
        connection.session.send(call, b"first")
        connection.session.fail(call, StatusCode.ABORTED, "no more")

    async with odd_node(then) as node, way_to(node) as way:
        answers = Answers(way, BLOCK, b"")
        assert await anext(answers) == b"first"
        with pytest.raises(Ended, match="no more"):
            await anext(answers)

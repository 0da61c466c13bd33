"""A Get's answer is one message: not none, and not two."""

import pytest
from fake_participant import ask, channel_to, outcomes
from odd_node import OddConnection, odd_node

from cache_core import UnexpectedStatus, Value
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.wire.get import write_response


@pytest.mark.parametrize("count", [0, 2, 3])
async def test_an_answer_of_none_or_of_several_messages_is_no_value(count: int) -> None:
    def answer(connection: OddConnection, call: ServerCall, _: bytes) -> None:
        for number in range(count):
            connection.session.send(call, write_response(b"%d" % number))
        connection.session.finish(call)

    async with odd_node(answer) as node, channel_to(node.address) as channel:
        (found,) = await outcomes(channel, [ask("k")])
    assert isinstance(found, UnexpectedStatus)
    assert found.status == "INTERNAL"


async def test_an_answer_of_an_empty_message_is_the_empty_value() -> None:
    def answer(connection: OddConnection, call: ServerCall, _: bytes) -> None:
        connection.session.answer(call, b"")

    async with odd_node(answer) as node, channel_to(node.address) as channel:
        (found,) = await outcomes(channel, [ask("k")])
    assert isinstance(found, Value)
    assert found.data == b""

"""What a hostile node answers our client: little of it costs little, and harms no other call."""

import asyncio

import pytest
from fake_participant import FakeParticipant, ask, connected, outcomes
from odd_node import OddConnection, nothing, odd_node

from cache_core import CacheError, NotFound, UnexpectedStatus, Value
from cache_core.messages import Handed, HandOver
from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.channel import GET, MOST_HANDED_BYTES
from cache_core.rpc.grpc.client_call import Ended
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.key_calls import BatchCall
from cache_core.rpc.transport.answers import MESSAGE_BYTES, MOST_UNREAD_BYTES, Answers
from cache_core.rpc.transport.way import Way
from cache_core.rpc.wire.batch import settle
from cache_core.rpc.wire.metadata import read_answer
from cache_core.rpc.wire.values import read_terms
from cache_core.value import NO_TERMS


@pytest.mark.parametrize("name", ["n" * 301, "a\nb", "\u00e4", ""])
async def test_a_name_that_no_node_has_is_not_passed_on(name: str) -> None:
    assert read_answer(f'hit; node="{name}"', b"", node="true:1").node == "true:1"
    response = pb.BatchGetResponse(
        places=[0],
        data=[b"1"],
        ttls=[1],
        ages=[0],
        answers=[pb.ANSWER_HIT],
        stored=[False],
        origin_places=[0],
        origins=[pb.Origin(node=name)],
    )
    found = ask("k")
    settle(response, [found], node="true:1")
    assert (await found.outcome).node == "true:1"


def test_terms_of_any_length_are_not_kept() -> None:
    said = f'hit; node="n:1"; content-type="{"a" * 4_000_000}"'
    assert read_answer(said, b"", node="n:1").terms is NO_TERMS
    assert read_terms(pb.Terms(content_type="a" * 256)).content_type == ""


async def test_more_outcomes_than_asks_are_no_answer() -> None:
    for response in (
        pb.BatchGetResponse(failures=[pb.Failure()] * 2),
        pb.BatchGetResponse(origins=[pb.Origin()] * 2),
    ):
        with pytest.raises(UnexpectedStatus, match="no batch's"):
            settle(response, [ask("k")], node="n:1")


async def test_more_messages_than_asks_end_a_batch() -> None:
    def then(connection: OddConnection, call: ServerCall, _message: bytes) -> None:
        for _ in range(5):
            connection.session.send(call, b"")
        connection.session.finish(call)

    async with odd_node(then) as node:
        way = Way(node.address)
        ended: asyncio.Future[int | CacheError] = asyncio.get_running_loop().create_future()
        call = BatchCall(
            way, "n:1", [ask("a"), ask("b")], lambda end: NotFound(end.words), ended.set_result
        )
        call.call(request_block(GET, "n", ()), b"")
        assert isinstance(await ended, UnexpectedStatus)
        await way.aclose()


async def test_no_more_is_taken_over_than_a_node_gives() -> None:
    participant = FakeParticipant()
    value = Value(bytes(4_000_000))
    participant.answers = {HandOver: (Handed("g", "k", value),) * 20}
    async with connected(participant) as channel:
        handed = await channel.send(HandOver("me:1"), timeout=30)
    assert MOST_HANDED_BYTES < len(handed) * 4_000_000 < MOST_HANDED_BYTES + 8_000_000


async def test_a_stream_of_which_far_too_much_is_unread_is_given_up() -> None:
    async with odd_node(nothing) as node:
        way = Way(node.address)
        answers = Answers(way, request_block("/s/One", "n", ()), b"")
        await node.calls.get()
        made = answers._made  # noqa: SLF001 - what is unpacked comes to it
        assert made is not None
        for _ in range(MOST_UNREAD_BYTES // MESSAGE_BYTES + 1):
            answers.message(made, b"")
        with pytest.raises(Ended) as caught:
            async for _ in answers:
                pass
        assert caught.value.code is StatusCode.RESOURCE_EXHAUSTED
        await way.aclose()


async def test_trailers_of_any_length_leave_the_connection_as_it_is() -> None:
    long = Value(b"630", node="n" * 20_000)
    participant = FakeParticipant({"long": long, "k": Value(b"1")})
    async with connected(participant) as channel:
        for key, data in (("k", b"1"), ("long", b"630"), ("k", b"1")):
            found = await outcomes(channel, [ask(key)])
            assert [one.data for one in found if isinstance(one, Value)] == [data]

"""What is known at once of a batch comes in one call, the rest in a second."""

import grpc.aio
import pytest
from fake_participant import FakeParticipant, ask, connected, hit, outcomes, serving

from cache_core import KeyRequired, Value
from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.channel import CLUSTER
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES, MAX_VALUE_BYTES

pytestmark = pytest.mark.usefixtures("engine")


async def test_a_peek_answers_what_is_held_and_starts_no_load() -> None:
    participant = FakeParticipant({"a": hit(), "c": hit(b"3")}, {"b": hit()})
    request = pb.BatchGetRequest(groups=["g"], keys=["a", "b", "c", ""])
    async with serving(participant) as address, grpc.aio.insecure_channel(str(address)) as channel:
        peek = channel.unary_unary(
            CLUSTER + "BatchPeek",
            pb.BatchGetRequest.SerializeToString,
            pb.BatchGetResponse.FromString,
        )
        response = await peek(request, timeout=30)
    assert dict(zip(response.places, response.data, strict=True)) == {0: b"630", 2: b"3"}
    assert [failure.place for failure in response.failures] == [3]
    assert participant.loading.empty()


@pytest.mark.usefixtures("channel")
async def test_each_key_is_looked_for_once_whether_it_is_held_or_not() -> None:
    participant = FakeParticipant({"a": hit()}, {"b": hit()})
    async with connected(participant) as channel:
        for _ in range(2):
            assert len(await outcomes(channel, [ask("a"), ask("b"), ask("")])) == 3
    assert [key for key, *_ in participant.asked] == ["a", "b", "", "b"] * 2
    assert participant.rings == [0, 0]


@pytest.mark.usefixtures("channel")
async def test_what_one_message_cannot_hold_comes_all_the_same() -> None:
    held = {str(n): Value(bytes([n]) * MAX_VALUE_BYTES) for n in range(3)}
    participant = FakeParticipant(held, held)
    async with connected(participant) as channel:
        found = await outcomes(channel, [ask(key) for key in held])
    assert [one.data for one in found if isinstance(one, Value)] == [
        value.data for value in held.values()
    ]
    assert MAX_MESSAGE_BYTES < 2 * MAX_VALUE_BYTES


async def test_errors_known_at_once_need_no_second_call() -> None:
    participant = FakeParticipant({"a": hit(), "b": hit()})
    async with connected(participant) as channel:
        *_, error = await outcomes(channel, [ask("a"), ask("b"), ask("")])
    assert isinstance(error, KeyRequired)
    assert len(participant.rings) == 1

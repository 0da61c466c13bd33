"""Batches, and answers to them, that are none."""

import grpc
import grpc.aio
import pytest
from fake_participant import FakeParticipant, ask, serving

from cache_core import UnexpectedStatus
from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.channel import CLUSTER
from cache_core.rpc.wire.batch import settle
from cache_core.rpc.wire.limits import MAX_BATCH_ITEMS

MANY = pb.BatchGetRequest(groups=["g"], keys=["k"] * (MAX_BATCH_ITEMS + 1))

pytestmark = pytest.mark.usefixtures("engine")


@pytest.mark.parametrize("method", ["BatchGet", "BatchPeek"])
@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (b"\xff\xff", "the request is no BatchGetRequest"),
        (MANY.SerializeToString(), "a batch should have at most 1000 items"),
        *(
            (request.SerializeToString(), "the columns of a batch don't fit together")
            for request in (
                pb.BatchGetRequest(keys=["a"]),
                pb.BatchGetRequest(keys=["a"], groups=["g", "h"]),
                pb.BatchGetRequest(keys=["a"], groups=["g", "h"], group_places=[2]),
                pb.BatchGetRequest(keys=["a"], groups=["g"], group_places=[1]),
                pb.BatchGetRequest(keys=["a", "b"], groups=["g"], group_places=[0]),
                pb.BatchGetRequest(keys=["a"], groups=[], group_places=[0]),
                pb.BatchGetRequest(keys=["a"], groups=["g"], demands=[pb.DEMAND_ANY] * 2),
                pb.BatchGetRequest(keys=["a"], groups=["g"], traceparents=["t"]),
            )
        ),
    ],
)
async def test_what_is_no_batch_is_refused(request_: bytes, said: str, method: str) -> None:
    async with (
        serving(FakeParticipant()) as address,
        grpc.aio.insecure_channel(str(address)) as channel,
    ):
        # To a client, a unary call is a stream of one message.
        call = channel.unary_stream(CLUSTER + method, bytes, bytes)(request_, timeout=30)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(aiter(call))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == said


@pytest.mark.parametrize(
    "response",
    [
        pb.BatchGetResponse(failures=[pb.Failure(place=2)]),
        pb.BatchGetResponse(places=[0]),
        pb.BatchGetResponse(
            places=[2],
            data=[b""],
            ttls=[1],
            ages=[1],
            answers=[pb.ANSWER_HIT],
            stored=[True],
            origin_places=[0],
        ),
    ],
)
async def test_what_answers_no_batch_is_an_error(response: pb.BatchGetResponse) -> None:
    with pytest.raises(UnexpectedStatus, match="the answer is no batch's"):
        settle(response, [ask("a"), ask("b")], node="n")

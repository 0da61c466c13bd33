"""What a connection keeps of calls that are over: nothing."""

import gc
from collections.abc import Callable

import pytest
from joined import Lines, lines
from virtual_time import after, in_virtual_time

from cache_core.pb.cluster_pb2 import BatchGetRequest, WatchRequest
from cache_core.rpc.channel import CLUSTER
from cache_core.rpc.grpc.client_call import ClientCall
from cache_core.rpc.grpc.server_call import ServerCall

KEYS = BatchGetRequest(keys=["held", "slow"], groups=["g"]).SerializeToString()


def served() -> list[object]:
    """Return the calls that something still holds at the node's end."""
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is ServerCall]


CALLS: dict[str, Callable[[Lines], ClientCall]] = {
    "a hit": lambda joined: joined.get("held")[0],
    "a load": lambda joined: joined.get("slow")[0],
    "a load in time": lambda joined: joined.get("slow", 1_000)[0],
    "a load too late": lambda joined: joined.get("slow", 0.5)[0],
    "a batch": lambda joined: joined.call(CLUSTER + "BatchGet", KEYS)[0],
    "a health watch": lambda joined: joined.watch_health()[0],
    "a watch": lambda joined: joined.call(CLUSTER + "Watch", WatchRequest().SerializeToString())[0],
}


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("is_given_up", [False, True])
def test_a_call_that_is_over_leaves_nothing_behind(kind: str, is_given_up: bool) -> None:
    @in_virtual_time
    async def run() -> None:
        async with lines() as joined:
            asked = CALLS[kind](joined)
            await after(1)
            if is_given_up or "watch" in kind:
                joined.client.session.give_up(asked)
            joined.participant.gates["slow"].set()
            await after(1)
            assert served() == []
            assert joined.node.tasks == {}
            assert joined.node.watches == set()

    run()

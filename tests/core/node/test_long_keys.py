"""Keys of more bytes than a key may have."""

import grpc
import grpc.aio
import pytest
from fakes import FakeSource

from cache_core import Client, InvalidKey, Node, NotFound
from cache_core.errors import MAX_KEY_BYTES
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.pb.gaocache_pb2_grpc import GaocacheStub

KEYS = {"just right": "q" * MAX_KEY_BYTES, "of two bytes each": "ä" * (MAX_KEY_BYTES // 2)}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
async def test_a_key_is_taken_up_to_the_limit_and_not_beyond(
    node: Node, source: FakeSource, key: str
) -> None:
    async with Client(node.address) as client:
        for ask in (node.get, client.get):
            with pytest.raises(NotFound):
                await ask("scores", key)
            with pytest.raises(InvalidKey, match="a key has at most 1024 bytes, and this one 1025"):
                await ask("scores", key + "q")
        for remove in (node.remove, client.remove):
            assert await remove("scores", key) == ()
            with pytest.raises(InvalidKey):
                await remove("scores", key + "q")
    assert set(source.lookups) == {key}


async def test_a_client_of_another_make_is_refused_a_longer_key(
    node: Node, source: FakeSource
) -> None:
    async with grpc.aio.insecure_channel(node.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await GaocacheStub(channel).Get(GetRequest(group="scores", key="k" * 1_000_000))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "a key has at most 1024 bytes, and this one 1000000"
    assert source.lookups == []

"""Two nodes that ask and tell one another."""

import asyncio

import pytest
from clusters import cluster_of
from fakes import FakeSource

from cache_core import Client
from cache_core.messages import NodeInfo

pytestmark = pytest.mark.usefixtures("engine", "channel")


async def test_keys_are_loaded_by_their_owners_and_are_removed_everywhere() -> None:
    keys = [str(number) for number in range(40)]
    source = FakeSource(dict.fromkeys(keys, b"old"))
    async with cluster_of(2, source) as nodes:
        for node in nodes:
            values = await asyncio.gather(*(node.get("scores", key) for key in keys))
            assert {value.data for value in values} == {b"old"}
            answering = {value.node or node.address for value in values}
            assert answering == {each.address for each in nodes}
        assert sorted(source.lookups) == sorted(keys)
        source.values = dict.fromkeys(keys, b"new")
        assert await nodes[0].flush("scores") == ()
        for node in nodes:
            assert (await node.get("scores", "7")).data == b"new"


async def test_a_client_is_told_of_both_by_either() -> None:
    async with cluster_of(2, FakeSource()) as nodes:
        for node in nodes:
            async with Client(node.address, timeout=10) as client:
                ((_, info),) = (await client.describe()).items()
            assert isinstance(info, NodeInfo)
            assert {member.node for member in info.members} == {each.address for each in nodes}

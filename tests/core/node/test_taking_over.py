"""A node that is told to take over from itself, as anybody may tell it."""

from cache_core import Node
from cache_core.address import Address
from cache_core.messages import TakeOver
from cache_core.rpc.channel import Channel


async def test_a_node_takes_nothing_over_from_itself(node: Node) -> None:
    channel = Channel(Address.parse(node.address))
    assert await channel.send(TakeOver(node.address), timeout=5) == 0
    assert (await node.get("scores", "Tom")).data == b"630"
    await channel.aclose()

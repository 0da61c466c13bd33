"""The choice of what carries a node's calls, and a node whose choice ends by itself."""

import asyncio
import subprocess
import sys

import pytest
from fakes import FakeSource

from cache_core import Group, Node
from cache_core.address import Address
from cache_core.rpc.engine import GrpcEngine
from cache_core.rpc.engine_choice import choose_engine
from cache_core.rpc.grpcio.server import Server as GrpcioServer
from cache_core.rpc.transport.node.server import Server as NativeServer

ADDRESS = Address("127.0.0.1", 0)


async def test_auto_is_our_own() -> None:
    assert isinstance(choose_engine(GrpcEngine.AUTO)(ADDRESS), NativeServer)
    assert isinstance(choose_engine(GrpcEngine.NATIVE)(ADDRESS), NativeServer)
    assert isinstance(choose_engine(GrpcEngine.GRPCIO)(ADDRESS), GrpcioServer)


def test_what_is_no_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="'rust' is not a valid GrpcEngine"):
        Node(grpc_engine="rust")


def test_an_engine_is_not_loaded_before_it_is_chosen() -> None:
    code = """
import sys
from cache_core import Node
from cache_core.client.client import Client
Node()
Client()
assert "grpc" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_a_node_that_is_stopped_has_ended_without_a_failure(source: FakeSource) -> None:
    node = Node("127.0.0.1:0", [Group("scores", source)], grpc_engine="native")
    for _ in range(2):
        await node.start()
        waiting = asyncio.create_task(node.ended())
        await asyncio.sleep(0)
        assert not waiting.done()
        await node.stop()
        await waiting

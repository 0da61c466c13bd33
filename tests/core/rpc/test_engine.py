"""The choice of what carries a node's calls, and a node whose choice ends by itself."""

import asyncio
import gc
import subprocess
import sys

import pytest
from fakes import FakeSource

from cache_core import EngineFailed, EngineMissing, Group, Node, PeerUnavailable
from cache_core.address import Address
from cache_core.rpc.engine import Engine, GrpcEngine
from cache_core.rpc.engine_choice import choose_engine
from cache_core.rpc.grpcio.server import Server
from cache_core.rpc.native.server import NativeServer

ADDRESS = Address("127.0.0.1", 0)


def opened(engine: GrpcEngine) -> Engine:
    failures: list[EngineFailed] = []
    return choose_engine(engine)(ADDRESS, failures.append)


async def test_auto_is_native_where_that_is_installed_and_else_grpcio(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(opened(GrpcEngine.AUTO), NativeServer)
    assert isinstance(opened(GrpcEngine.NATIVE), NativeServer)
    assert isinstance(opened(GrpcEngine.GRPCIO), Server)
    monkeypatch.setitem(sys.modules, "pygrpc_native", None)
    assert isinstance(opened(GrpcEngine.AUTO), Server)
    assert isinstance(opened(GrpcEngine.GRPCIO), Server)
    with pytest.raises(EngineMissing, match=r"pip install 'gaocache\[fast\]'"):
        Node(grpc_engine="native")


def test_what_is_no_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="'rust' is not a valid GrpcEngine"):
        Node(grpc_engine="rust")


def test_an_engine_is_not_loaded_before_it_is_chosen() -> None:
    code = """
import sys
from cache_core import Node
Node(grpc_engine="grpcio")
assert "pygrpc_native" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def end_the_engine_of(address: str) -> None:
    """Close what carries the calls of the node at `address`, as nothing of ours would."""
    port = Address.parse(address).port
    for found in gc.get_objects():
        if isinstance(found, NativeServer) and found._front and found._front.bound_port == port:  # noqa: SLF001
            found._front.close()  # noqa: SLF001 - there is no other way to break it


async def test_a_node_whose_engine_ends_by_itself_stops_and_says_why(source: FakeSource) -> None:
    node = Node("127.0.0.1:0", [Group("scores", source)], grpc_engine="native")
    await node.start()
    waiting = asyncio.create_task(node.ended())
    end_the_engine_of(node.address)
    with pytest.raises(EngineFailed, match="the native gRPC engine has ended by itself"):
        await waiting
    assert source.closed
    with pytest.raises(PeerUnavailable):
        node.info()
    await node.stop()


async def test_a_node_that_is_stopped_has_ended_without_a_failure(source: FakeSource) -> None:
    node = Node("127.0.0.1:0", [Group("scores", source)], grpc_engine="native")
    for _ in range(2):
        await node.start()
        waiting = asyncio.create_task(node.ended())
        await asyncio.sleep(0)
        assert not waiting.done()
        await node.stop()
        await waiting

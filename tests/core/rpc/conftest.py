from collections.abc import Iterator

import pytest
from grpcio_channel import GrpcioChannel

from cache_core.rpc import engine_choice
from cache_core.rpc.channel import Channel
from cache_core.rpc.engine import GrpcEngine


@pytest.fixture(params=["grpcio", "native"], scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[GrpcEngine]:
    """What carries the calls of every node of the test."""
    engine = GrpcEngine(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_choice, "DEFAULT", engine)
        yield engine


@pytest.fixture(params=["ours", "grpcio"])
def channel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nodes and clients of the test, and the test itself, ask a node by."""
    chosen = {"ours": Channel, "grpcio": GrpcioChannel}[request.param]
    for module in ("cache_core.client.client", "cache_core.node.node", "fake_participant"):
        monkeypatch.setattr(f"{module}.Channel", chosen)

from collections.abc import Iterator

import pytest

from cache_core.rpc import engine_choice
from cache_core.rpc.engine import GrpcEngine


@pytest.fixture(params=["grpcio", "native"], scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[GrpcEngine]:
    """What carries the calls of every node of the test."""
    engine = GrpcEngine(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_choice, "DEFAULT", engine)
        yield engine

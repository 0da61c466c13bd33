import sys
from collections.abc import Iterator

import pytest

from cache_core.rpc.engine import EngineMissing, GrpcEngine
from cache_core.rpc.engine_choice import choose_engine


@pytest.fixture(params=["grpcio", "native"], scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[GrpcEngine]:
    """What carries the calls of every node of the test: what `auto` chooses here and now.

    A machine without the extra `fast` is one where the import system finds no such module.
    """
    engine = GrpcEngine(request.param)
    with pytest.MonkeyPatch.context() as patch:
        if engine is GrpcEngine.GRPCIO:
            patch.setitem(sys.modules, "pygrpc_native", None)
            with pytest.raises(EngineMissing):
                choose_engine(GrpcEngine.NATIVE)
        yield engine

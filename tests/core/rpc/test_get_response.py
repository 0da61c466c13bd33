import pytest

from cache_core import Value
from cache_core.pb.gaocache_pb2 import GetResponse
from cache_core.rpc.calls import write_get

SIZES = [edge + step for edge in (0, 1 << 7, 1 << 14, 1 << 21) for step in (-1, 0, 1, 127, 128)]


@pytest.mark.parametrize("size", [size for size in SIZES if size >= 0])
def test_a_value_of_any_size_is_written_as_protobuf_writes_it(size: int) -> None:
    data = b"v" * size
    assert write_get(Value(data)) == GetResponse(value=data).SerializeToString()

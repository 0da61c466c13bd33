"""A node's methods, by the paths of their calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from cache_core.rpc.calls import CLUSTER, GET_SERVICES
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.transport.node.calls import ConnectionCalls
from cache_core.rpc.transport.node.introspection import HEALTH, REFLECTIONS
from cache_core.rpc.wire.codec import ROWS, Row

Begin: TypeAlias = Callable[[ConnectionCalls, ServerCall, bytes], None]


@dataclass(frozen=True, slots=True)
class ServedMethod:
    """How a call of a method begins, and whether it sends more than one message."""

    begin: Begin
    takes_stream: bool = False


def _methods() -> Mapping[bytes, ServedMethod]:
    of = ConnectionCalls
    cluster: dict[str, Begin] = {
        **{row.method: partial(_receive, row) for row in ROWS},
        "Acknowledge": of.acknowledge,
        "BatchPeek": of.batch_peek,
        "BatchGet": of.batch_get,
        "HandOver": of.hand_over,
        "Watch": of.watch,
    }
    methods: dict[str, Begin] = {
        **{f"/{service}/Get": of.get for service in GET_SERVICES},
        **{f"/{CLUSTER}/{name}": begin for name, begin in cluster.items()},
        f"/{HEALTH}/Check": of.check_health,
        f"/{HEALTH}/Watch": of.watch_health,
    }
    return {
        **{path.encode(): ServedMethod(begin) for path, begin in methods.items()},
        **{
            f"/{name}/ServerReflectionInfo".encode(): ServedMethod(of.reflect, takes_stream=True)
            for name in REFLECTIONS
        },
    }


def _receive(
    row: Row[Any, Any, Any, Any], calls: ConnectionCalls, call: ServerCall, message: bytes
) -> None:
    calls.receive(row, call, message)


METHODS: Final = _methods()
"""What is served, by the path of a call."""

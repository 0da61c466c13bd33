"""The calls that are compared over gRPC, each by its name, and the servers that answer them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol

from grpc_clients import GRPCIO, OURS, Gets
from h2load import CLIENTS, STREAMS, Call, framed, run_h2load
from keyset import GROUP, keys
from pinned import GENERATORS, SERVERS, free_ports
from sampling import Sample, sample
from stage import Server, Stage, peers_at
from warming import warm_node

from cache_core.cluster.member import Member
from cache_core.cluster.ring import Ring
from cache_core.pb.cluster_pb2 import BatchGetRequest
from cache_core.pb.gaocache_pb2 import GetRequest

SIZE: Final = 100
MANY: Final = 64
FRAME: Final = 5
BARE, GET_GRPCIO, GET_NATIVE = "bare", "get-grpcio", "get-native"
BATCH_GRPCIO, BATCH_NATIVE = "batch-grpcio", "batch-native"
PEEK_GRPCIO, PEEK_NATIVE = "peek-grpcio", "peek-native"
TWO_GRPCIO, TWO_NATIVE = "get-grpcio-2", "get-native-2"
MANY_CALLERS: Final = f"{SIZE} B, {CLIENTS * STREAMS} callers on {CLIENTS} connections"
FEW_CALLERS: Final = {
    1: f"{SIZE} B, 1 caller",
    16: f"{SIZE} B, 16 callers on 1 connection",
}
TITLES: Final = {
    BARE: "Get, bare grpcio handler, constant bytes",
    GET_GRPCIO: "Get, node on grpcio",
    GET_NATIVE: "Get, node on native",
    BATCH_GRPCIO: f"BatchGet of {MANY}, node on grpcio",
    BATCH_NATIVE: f"BatchGet of {MANY}, node on native",
    PEEK_GRPCIO: f"BatchPeek of {MANY}, node on grpcio",
    PEEK_NATIVE: f"BatchPeek of {MANY}, node on native",
    TWO_GRPCIO: "Get, 2 nodes on grpcio, two cores",
    TWO_NATIVE: "Get, 2 nodes on native, two cores",
}
CLIENT_TITLES: Final = {
    OURS: "Get, by our channel, node on native",
    GRPCIO: "Get, by grpc.aio's, node on native",
}


class Measured(Protocol):
    """What is measured in its turns."""

    def sample(self, seconds: int) -> Sample:
        """Call for so long."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is called, at once, and the processes that answer.

    Two nodes have both cores, of which the load generators take their share.
    """

    calls: Sequence[Call]
    parts: Mapping[str, int]
    cores: frozenset[int] = field(default=GENERATORS)
    clients: int = CLIENTS
    streams: int = STREAMS

    def sample(self, seconds: int) -> Sample:
        """Call for so long, by h2load."""
        run = partial(
            run_h2load,
            self.calls,
            seconds=seconds,
            cores=self.cores,
            clients=self.clients,
            streams=self.streams,
        )
        return sample(self.parts, run)


def start(stage: Stage) -> dict[str, dict[str, Measured]]:
    """Start all servers, the nodes holding what is asked for; return calls by load, title."""
    asked, native = _start(stage), stage.node("native")
    found: dict[str, dict[str, Measured]] = {
        MANY_CALLERS: {title: asked[name] for name, title in TITLES.items()}
    }
    for callers, load in FEW_CALLERS.items():
        found[load] = {
            TITLES[name]: replace(asked[name], clients=1, streams=callers)
            for name in (BARE, GET_GRPCIO, GET_NATIVE)
        }
        for by, title in CLIENT_TITLES.items():
            found[load][title] = Gets(by, native, keys(SIZE)[0], SIZE, callers)
    return found


def _start(stage: Stage) -> dict[str, Asked]:
    bare = stage.app("bare_grpcio", SIZE)
    asked = {BARE: Asked([_get(bare.port, keys(SIZE)[0])], bare.parts)}
    for engine, get, batch, peek, two in (
        ("grpcio", GET_GRPCIO, BATCH_GRPCIO, PEEK_GRPCIO, TWO_GRPCIO),
        ("native", GET_NATIVE, BATCH_NATIVE, PEEK_NATIVE, TWO_NATIVE),
    ):
        node = stage.node(engine)
        warm_node(node.port, keys(SIZE)[:MANY], at_a_time=MANY)
        asked[get] = Asked([_get(node.port, keys(SIZE)[0])], node.parts)
        asked[batch] = Asked([_batch(node.port, "BatchGet")], node.parts)
        asked[peek] = Asked([_batch(node.port, "BatchPeek")], node.parts)
        asked[two] = _of_two(stage, engine)
    return asked


def _of_two(stage: Stage, engine: str) -> Asked:
    """Start a cluster of two, each of which is asked for a key that it owns."""
    ports, both = free_ports(2), SERVERS | GENERATORS
    peers = peers_at(ports)
    nodes = [stage.new_node(engine, cores=both, port=port, peers=peers) for port in ports]
    owned = {_owner(ports, key): key for key in keys(SIZE)[:MANY]}
    warm_node(ports[0], list(owned.values()), at_a_time=MANY)
    parts = {f"node {number}": _pid(node) for number, node in enumerate(nodes, 1)}
    return Asked([_get(port, owned[port]) for port in ports], parts, both)


def _owner(ports: Sequence[int], key: str) -> int:
    owner = Ring([Member(f"127.0.0.1:{port}") for port in ports]).owner(key)
    assert owner is not None
    return int(owner.rpartition(":")[2])


def _pid(node: Server) -> int:
    return node.parts["node"]


def _get(port: int, key: str) -> Call:
    url = f"http://127.0.0.1:{port}/gaocachepb.Gaocache/Get"
    return Call(url, framed(GetRequest(group=GROUP, key=key)), FRAME + SIZE)


def _batch(port: int, method: str) -> Call:
    request = BatchGetRequest(groups=[GROUP], keys=keys(SIZE)[:MANY])
    url = f"http://127.0.0.1:{port}/gaocache.cluster.v1.Cluster/{method}"
    return Call(url, framed(request), FRAME + MANY * SIZE, MANY)

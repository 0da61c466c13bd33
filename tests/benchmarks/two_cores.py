"""Two workers and two nodes on two cores, against one and one on one: CPU a request."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from keyset import keys, target
from pinned import GENERATORS, SERVERS, free_ports
from rounds import turns
from sampling import Sample, sample
from stage import NEAR_CACHE, Server, Stage, peers_at
from warming import check, warm_node
from wrk import run_wrk

ONE, TWO = "1 worker + 1 node, one core", "2 workers + 2 nodes, two cores"
WAYS: Final = {"near cache on": NEAR_CACHE, "near cache off": "0"}
BOTH: Final = SERVERS | GENERATORS
"""The load generator takes its share of the second."""
WARM_UP_SECONDS: Final = {"near cache on": 4, "near cache off": 1}
"""Copies take their time to be made; a second is enough for what is asked for each time."""
WARM_UP: Final = 64
"""Connections, enough for all workers to have some."""


def start(stage: Stage, paths: Path) -> dict[str, Server]:
    """Start both, with near copies and without; all have answered what is asked for."""
    one = stage.new_node("native")
    ports = free_ports(2)
    peers = peers_at(ports)
    two = [stage.new_node("native", cores=BOTH, port=port, peers=peers) for port in ports]
    names = keys(100)
    for port in (one.port, ports[0]):
        warm_node(port, names, at_a_time=1_000)
    servers: dict[str, Server] = {}
    for way, near_cache in WAYS.items():
        both = stage.gateway(two, near_cache=near_cache, workers=2, cores=BOTH)
        pair = {ONE: stage.gateway([one], near_cache=near_cache), TWO: both}
        for what, server in pair.items():
            check(server, names[0], constant=False)
            seconds = WARM_UP_SECONDS[way]
            run_wrk(_url(server), connections=WARM_UP, seconds=seconds, paths=paths)
            servers[f"{what}, {way}"] = server
    return servers


def measure(
    servers: dict[str, Server], paths: Path, *, connections: int, seconds: int, rng: random.Random
) -> Iterator[tuple[str, Sample]]:
    """Yield a sample of each, taken in turns: many keys, for one key has one owner."""
    for _, name in turns(list(servers), [None], rng):
        server = servers[name]
        run = partial(run_wrk, _url(server), connections=connections, seconds=seconds, paths=paths)
        yield name, sample(server.parts, run)


def _url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}{target(keys(100)[0])}"

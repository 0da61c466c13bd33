"""`gaocache up`: nodes and the gateway, each a process of its own."""

import asyncio
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
import uvloop

from cache_core.config import GatewayTable, NodeTable, Settings
from gateway.cli.demo import demo_config
from gateway.cli.options.gateway import (
    CorsOriginOption,
    FastLaneOption,
    MaxTimeoutOption,
    NearCacheOption,
    RequestTimeoutOption,
)
from gateway.cli.options.node import GrpcEngineOption, NodeGraceOption, NodeLogLevelOption
from gateway.cli.options.settings import flags, given, load_settings, setting
from gateway.cli.options.shared import DATA_DIR, ConfigOption, DataDirOption
from gateway.cli.processes.fleet import fleet_of
from gateway.cli.processes.hangups import on_hangup
from gateway.cli.processes.listening import free_addresses
from gateway.cli.processes.stopping import Stop
from gateway.cli.processes.supervisor import Kept, keep_until, start_all
from gateway.cli.processes.workers import WorkersOption, stopping_seconds


def up(
    nodes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            metavar="NUMBER",
            help="How many nodes, on ports counted up from --node-listen's, in a cluster of their "
            "own. Without it: where node.peers is static://, a node at each of its addresses that "
            "is this machine's; else one node.",
        ),
    ] = None,
    listen: Annotated[
        str | None, setting(GatewayTable, "gateway", "listen", metavar="HOST:PORT")
    ] = None,
    node_listen: Annotated[
        str | None,
        setting(NodeTable, "node", "listen", metavar="HOST:PORT", name="--node-listen"),
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = DATA_DIR,
    timeout: RequestTimeoutOption = None,
    max_timeout: MaxTimeoutOption = None,
    near_cache: NearCacheOption = None,
    cors_origin: CorsOriginOption = None,
    workers: WorkersOption = None,
    fast_lane: FastLaneOption = None,
    grace: NodeGraceOption = None,
    grpc_engine: GrpcEngineOption = None,
    log_level: NodeLogLevelOption = None,
) -> None:
    """Start nodes that share the keys out, and the gateway; stop all on Ctrl-C.

    One that ends meanwhile is started again. On SIGHUP the nodes read the
    config anew, as `gaocache node` does.

    Examples:
      gaocache up

      gaocache up --nodes 3

      gaocache up --nodes 2 --workers 2

      gaocache up --config gaocache.toml --listen 127.0.0.1:9000

    """
    file = config or demo_config(data_dir)
    both = {"grace": grace, "log_level": log_level}
    asking = {
        "timeout": timeout,
        "max_timeout": max_timeout,
        "near_cache": near_cache,
        "cors_origins": cors_origin or None,
        "workers": workers,
        "fast_lane": fast_lane,
    }
    settings = load_settings(
        file,
        ("--node-listen", node_listen, ("node", "listen")),
        *given("node", **both, grpc_engine=grpc_engine),
        *given("gateway", listen=listen, **asking, **both),
    )
    fleet = fleet_of(settings, nodes if node_listen is None else nodes or 1)
    address = settings.gateway.listen
    if address.port == 0:
        (address,) = free_addresses(address, 1)
    shared = ["--config", str(file), *flags(**both)]
    cluster = flags(peers=fleet.peers)
    kept: list[Kept] = []
    for place in fleet.places:
        where = flags(listen=place.listen, advertise=place.name, grpc_engine=grpc_engine)
        kept.append(Kept(f"node {place.name}", ["node", *where, *cluster, *shared], kept))
    where = flags(listen=address, **asking)
    front = Kept(f"gateway {address}", ["gateway", *where, *cluster, *shared])
    names = [place.name for place in fleet.places]
    uvloop.run(_run(kept, front, lambda: _welcome(str(address), names, file, settings), settings))


async def _run(
    nodes: Sequence[Kept], gateway: Kept, welcome: Callable[[], None], settings: Settings
) -> None:
    """Start all, keep them running until a signal, and end all; pass SIGHUP on to the nodes."""
    told = Stop().told

    def hang_up() -> None:
        for node in nodes:
            node.hang_up()

    on_hangup(reload=hang_up, gone=told.set)
    try:
        if await keep_until(told, (*nodes, gateway), _start(nodes, gateway), welcome):
            print("Stopping.", flush=True)
    finally:
        await gateway.stop(grace=stopping_seconds(settings.gateway))
        await asyncio.gather(*(node.stop(grace=settings.node.grace) for node in nodes))


async def _start(nodes: Sequence[Kept], gateway: Kept) -> None:
    """Start all and return once they serve. Raises Failure where one does not start.

    Only one node starts at the same time as the gateway, which doesn't look at the groups. So a
    mistake in the groups is said once.
    """
    await start_all([nodes[0], gateway])
    await start_all(nodes[1:])


def _welcome(gateway: str, nodes: Sequence[str], file: Path, settings: Settings) -> None:
    group = next(iter(settings.groups))
    key = "Tom" if group == "scores" else "KEY"
    typer.secho("GaoCache is up.", fg="green", bold=True, nl=False)
    print(" Ctrl-C stops it.\n")
    workers = settings.gateway.workers
    print(f"  gateway  http://{gateway}" + (f"  {workers} workers" if workers > 1 else ""))
    for node in nodes:
        print(f"  node     {node}")
    print(f"  groups   {', '.join(settings.groups)}  from {file}")
    lines = examples(gateway, nodes[0], group, key)
    if len(nodes) > 1:
        print("\nThe nodes share the keys out: whichever you ask, a key's owner has its value.")
        lines = (*lines[:-1], f"gaocache cluster --node {nodes[0]}", lines[-1])
    print("\nTry:\n")
    for line in lines:
        print(f"  {line}")
    sys.stdout.flush()


def examples(gateway: str, node: str, group: str, key: str) -> tuple[str, ...]:
    """Return three lines to try, of which a shell runs the first two as they stand."""
    url = f"http://{gateway}/groups/{quote(group, safe='')}/keys/{quote(key, safe='')}"
    asked = [group, key, "--node", node]
    if group.startswith("-"):  # it would pass for an option
        asked = ["--node", node, "--", group, key]
    return (
        shlex.join(["curl", "-s", url]),
        shlex.join(["gaocache", "get", *asked]),
        f"http://{gateway}/docs",
    )

"""`gaocache gateway`: HTTP in front of nodes."""

import contextlib
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from cache_core.address import Address
from cache_core.config import GatewayTable, LogLevel, Settings
from gateway.cli.failure import Failure
from gateway.cli.options.gateway import (
    CorsOriginOption,
    CorsRemovalOption,
    FastLaneOption,
    GatewayLogLevelOption,
    HeaderBytesOption,
    HostOption,
    KeepAliveOption,
    MaxConnectionsOption,
    MaxTimeoutOption,
    NearCacheOption,
    ReceiveTimeoutOption,
    RequestTimeoutOption,
    SendTimeoutOption,
    TotalConnectionMemoryOption,
    limits_of,
)
from gateway.cli.options.nodes import shown
from gateway.cli.options.settings import given, load_settings, setting
from gateway.cli.options.shared import SupervisedOption, set_up_logging
from gateway.cli.processes import listening
from gateway.cli.processes.descriptors import raise_limit
from gateway.cli.processes.importing import importing
from gateway.cli.processes.stopping import Stop
from gateway.cli.processes.workers import (
    SocketOption,
    WorkerOption,
    WorkersOption,
    leave_folder,
    serve_with_workers,
)


def gateway(
    listen: Annotated[
        str | None, setting(GatewayTable, "gateway", "listen", metavar="HOST:PORT")
    ] = None,
    node: Annotated[
        str | None, setting(GatewayTable, "gateway", "node", metavar="HOST:PORT")
    ] = None,
    peers: Annotated[str | None, setting(GatewayTable, "gateway", "peers", metavar="URL")] = None,
    timeout: RequestTimeoutOption = None,
    max_timeout: MaxTimeoutOption = None,
    receive_timeout: ReceiveTimeoutOption = None,
    keep_alive: KeepAliveOption = None,
    send_timeout: SendTimeoutOption = None,
    max_connections: MaxConnectionsOption = None,
    total_connection_memory: TotalConnectionMemoryOption = None,
    header_bytes: HeaderBytesOption = None,
    near_cache: NearCacheOption = None,
    cors_origin: CorsOriginOption = None,
    cors_removal: CorsRemovalOption = None,
    host: HostOption = None,
    workers: WorkersOption = None,
    fast_lane: FastLaneOption = None,
    drain: Annotated[
        str | None, setting(GatewayTable, "gateway", "drain", metavar="SECONDS")
    ] = None,
    grace: Annotated[
        str | None, setting(GatewayTable, "gateway", "grace", metavar="SECONDS")
    ] = None,
    log_level: GatewayLogLevelOption = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A TOML file whose \\[gateway] and \\[node] say what options don't; its groups "
            "are the nodes' business.",
        ),
    ] = None,
    supervised: SupervisedOption = False,
    worker: WorkerOption = None,
    socket_: SocketOption = None,
) -> None:
    """Serve HTTP in front of nodes until Ctrl-C or SIGTERM.

    Examples:
      gaocache gateway

      gaocache gateway --listen 0.0.0.0:80 --node 10.0.0.5:8080

      gaocache gateway --peers dns://nodes.internal:8080 --workers 4

    """
    options: dict[str, object] = {
        "listen": listen,
        "node": node,
        "peers": peers,
        "timeout": timeout,
        "max_timeout": max_timeout,
        "receive_timeout": receive_timeout,
        "keep_alive": keep_alive,
        "send_timeout": send_timeout,
        "max_connections": max_connections,
        "total_connection_memory": total_connection_memory,
        "header_bytes": header_bytes,
        "near_cache": near_cache,
        "cors_origins": cors_origin or None,
        "cors_removal": cors_removal,
        "hosts": host or None,
        "fast_lane": fast_lane,
        "workers": workers,
        "drain": drain,
        "grace": grace,
        "log_level": log_level,
    }
    settings = load_settings(config, *given("gateway", **options), with_groups=False)
    table = settings.gateway
    nodes = asked(settings)
    set_up_logging(table.log_level)
    raise_limit()

    def ready(address: Address) -> str:
        crew = f" with {table.workers} workers" if table.workers > 1 else ""
        return str(address) if supervised else f"gateway http://{address} asks {shown(nodes)}{crew}"

    if table.workers > 1 and worker is None:
        serve_with_workers(table, config, options, ready, supervised=supervised)
        return
    sock = listening.listen(table.listen) if socket_ is None else socket.socket(fileno=socket_)
    with contextlib.closing(sock):
        with importing():
            from gateway.server.serving import serve  # noqa: PLC0415 - FastAPI takes 0.4 s to import

        address = table.listen._replace(port=sock.getsockname()[1])

        async def run() -> None:
            stop = Stop(supervised=supervised)
            await serve(
                sock,
                nodes,
                stop.told.wait(),
                ready=lambda: print(ready(address), flush=True),
                limits=limits_of(table),
                drain=table.drain,
                grace=table.grace,
                access_log=table.log_level is LogLevel.debug,
                cors_origins=table.cors_origins,
                cors_removal=table.cors_removal,
                hosts=table.hosts,
                worker=worker,
                workers=table.workers,
                fast_lane=table.fast_lane,
                near_cache=table.near_cache,
            )
            if worker is not None and stop.deserted.is_set():
                leave_folder(worker)

        uvloop.run(run())


def asked(settings: Settings) -> str:
    """Return the nodes that the gateway asks, as a Client takes them. Raises Failure."""
    if settings.gateway.node is not None:
        return str(settings.gateway.node)
    peers = settings.gateway.peers or settings.node.peers
    if peers is not None:
        return peers.get_secret_value()
    address = settings.node.advertise or listening.on_loopback(settings.node.listen)
    if not address.port:
        words = "it has no port that the gateway could ask; give the gateway --node or --peers"
        raise Failure(str(settings.problem(("node", "listen"), words)))
    return str(address)

"""`gaocache gateway`: HTTP in front of nodes."""

import contextlib
from typing import Annotated, Final

import typer
import uvloop

from cache_core.node import DEFAULT_GRACE
from gateway.cli import listening
from gateway.cli.asking import NodeOption, PeersOption, choose_nodes, shown
from gateway.cli.interrupts import interrupts_exit
from gateway.cli.options import (
    MAX_SECONDS,
    GraceOption,
    LogLevel,
    LogLevelOption,
    SupervisedOption,
    parse_address,
    set_up_logging,
)
from gateway.cli.requests import (
    DEFAULT_MAX_TIMEOUT,
    DEFAULT_TIMEOUT,
    CorsOriginOption,
    MaxTimeoutOption,
    RequestTimeoutOption,
    check_origins,
    parse_limits,
)
from gateway.cli.stopping import Stop

DEFAULT_LISTEN: Final = "127.0.0.1:8000"


def gateway(
    context: typer.Context,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to serve HTTP.")
    ] = DEFAULT_LISTEN,
    node: NodeOption = None,
    peers: PeersOption = None,
    timeout: RequestTimeoutOption = DEFAULT_TIMEOUT,
    max_timeout: MaxTimeoutOption = DEFAULT_MAX_TIMEOUT,
    cors_origin: CorsOriginOption = None,
    drain: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            max=MAX_SECONDS,
            help="How long it goes on serving once told to stop, while /readyz says 503: as long "
            "as load balancers take to notice.",
        ),
    ] = 0.0,
    grace: GraceOption = DEFAULT_GRACE,
    log_level: LogLevelOption = LogLevel.warning,
    supervised: SupervisedOption = False,
) -> None:
    """Serve HTTP in front of nodes until Ctrl-C or SIGTERM.

    Examples:
      gaocache gateway

      gaocache gateway --listen 0.0.0.0:80 --node 10.0.0.5:8080

      gaocache gateway --peers dns://nodes.internal:8080

    """
    address = parse_address("--listen", listen)
    nodes = choose_nodes(context, node, peers)
    limits = parse_limits(timeout, max_timeout)
    origins = cors_origin or []
    check_origins(origins)
    set_up_logging(log_level)
    sock = listening.listen(address)
    with contextlib.closing(sock):
        with interrupts_exit():
            from gateway.server import serve  # noqa: PLC0415 - FastAPI takes 0.4 s to import

        address = address._replace(port=sock.getsockname()[1])
        ready = str(address) if supervised else f"gateway http://{address} asks {shown(nodes)}"

        async def run() -> None:
            stop = Stop(supervised=supervised)
            print(ready, flush=True)
            await serve(
                sock,
                nodes,
                stop.told.wait(),
                limits=limits,
                drain=drain,
                grace=grace,
                access_log=log_level is LogLevel.debug,
                cors_origins=origins,
            )

        uvloop.run(run())

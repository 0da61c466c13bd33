"""`gaocache gateway`: HTTP in front of a node."""

import contextlib
import socket
from typing import Annotated, Final

import typer
import uvloop

from cache_core.address import DEFAULT_ADDRESS, Address
from cache_core.node import DEFAULT_GRACE
from gateway.cli.failure import listen_failure
from gateway.cli.interrupts import interrupts_exit
from gateway.cli.options import (
    GraceOption,
    LogLevel,
    LogLevelOption,
    SupervisedOption,
    TimeoutOption,
    parse_address,
    set_up_logging,
)
from gateway.cli.stopping import stop_event
from gateway.limits import Limits

DEFAULT_LISTEN: Final = "127.0.0.1:8000"
DEFAULT_TIMEOUT: Final = Limits().timeout


def gateway(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to serve HTTP.")
    ] = DEFAULT_LISTEN,
    node: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="The node to ask.")
    ] = DEFAULT_ADDRESS,
    timeout: TimeoutOption = DEFAULT_TIMEOUT,
    grace: GraceOption = DEFAULT_GRACE,
    log_level: LogLevelOption = LogLevel.warning,
    supervised: SupervisedOption = False,
) -> None:
    """Serve HTTP in front of a node until Ctrl-C or SIGTERM.

    Examples:
      gaocache gateway

      gaocache gateway --listen 0.0.0.0:80 --node 10.0.0.5:8080

    """
    address = parse_address("--listen", listen)
    node_address = parse_address("--node", node)
    set_up_logging(log_level)
    sock = _listen(address)
    with contextlib.closing(sock):
        with interrupts_exit():
            from gateway.server import serve  # noqa: PLC0415 - FastAPI takes 0.4 s to import

        address = address._replace(port=sock.getsockname()[1])
        ready = str(address) if supervised else f"gateway http://{address} asks node {node_address}"

        async def run() -> None:
            stop = stop_event(supervised=supervised)
            print(ready, flush=True)
            await serve(
                sock,
                str(node_address),
                stop.wait(),
                limits=Limits(timeout=timeout),
                grace=grace,
                access_log=log_level is LogLevel.debug,
            )

        uvloop.run(run())


def _listen(address: Address) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise listen_failure(address, error) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen()
    except OSError as error:
        sock.close()
        raise listen_failure(address, error) from error
    return sock

"""`gaocache gateway`: HTTP in front of a node."""

import asyncio
import contextlib
import math
import socket
from collections.abc import Iterator
from typing import Annotated, Final

import typer
import uvicorn
import uvloop

from cache_core.address import Address
from cache_core.client import DEFAULT_ADDRESS, Client
from cache_core.node import DEFAULT_GRACE
from gateway.app import DEFAULT_TIMEOUT, create_app
from gateway.cli.failure import listen_failure
from gateway.cli.options import (
    GraceOption,
    LogLevel,
    LogLevelOption,
    SupervisedOption,
    parse_address,
    set_up_logging,
)
from gateway.cli.stopping import stop_requested

DEFAULT_LISTEN: Final = "127.0.0.1:8000"


def gateway(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to serve HTTP.")
    ] = DEFAULT_LISTEN,
    node: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="The node to ask.")
    ] = DEFAULT_ADDRESS,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.001, help="How long a request may take.")
    ] = DEFAULT_TIMEOUT,
    grace: GraceOption = DEFAULT_GRACE,
    log_level: LogLevelOption = LogLevel.warning,
    supervised: SupervisedOption = False,
) -> None:
    """Serve HTTP in front of a node until Ctrl-C or SIGTERM.

    Examples:
      gaocache gateway

      gaocache gateway --listen 0.0.0.0:80 --node 10.0.0.5:8080

    """
    address, node_address = parse_address(listen), parse_address(node)
    set_up_logging(log_level)
    sock = _listen(address)
    with contextlib.closing(sock):
        uvloop.run(
            _serve(
                sock,
                address._replace(port=sock.getsockname()[1]),
                str(node_address),
                timeout=timeout,
                grace=grace,
                access_log=log_level is LogLevel.debug,
                supervised=supervised,
            )
        )


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which end the process by the signal they caught."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `stop_requested`."""
        yield


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


async def _serve(
    sock: socket.socket,
    address: Address,
    node: str,
    *,
    timeout: float,
    grace: float,
    access_log: bool,
    supervised: bool,
) -> None:
    async with Client(node) as client:
        server = _Server(
            uvicorn.Config(
                create_app(client, timeout=timeout),
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=access_log,
                server_header=False,
                timeout_graceful_shutdown=math.ceil(grace),
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        stop = asyncio.create_task(stop_requested(supervised=supervised))
        print(address if supervised else f"gateway http://{address} asks node {node}", flush=True)
        await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        stop.cancel()

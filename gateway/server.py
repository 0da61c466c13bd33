"""The gateway's process: uvicorn on a socket, stopped by us."""

import asyncio
import contextlib
import math
import socket
from collections.abc import Awaitable, Iterator

import uvicorn

from cache_core.client import Client
from gateway.app import create_app
from gateway.limits import Limits


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which end the process by the signal they caught."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever serves."""
        yield


async def serve(
    sock: socket.socket,
    node: str,
    stop: Awaitable[object],
    *,
    limits: Limits,
    grace: float,
    access_log: bool,
) -> None:
    """Serve HTTP on the listening `sock` in front of the node at `node` until `stop` is done.

    Running requests then have `grace` seconds to finish.
    """
    async with Client(node) as client:
        server = _Server(
            uvicorn.Config(
                create_app(client, limits=limits),
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=access_log,
                server_header=False,
                timeout_graceful_shutdown=math.ceil(grace),
            )
        )
        serving = asyncio.ensure_future(server.serve(sockets=[sock]))
        stopping = asyncio.ensure_future(stop)
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving

"""A gateway that a test serves in its own process."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Final

from cache_core.settings import MIB
from gateway.http.limits import Limits
from gateway.server.serving import serve

PATIENT: Final = Limits(timeout=10)
NEAR_CACHE: Final = 32 * MIB


@contextlib.asynccontextmanager
async def serve_gateway(
    node_address: str,
    *,
    limits: Limits = PATIENT,
    cors_origins: Sequence[str] = (),
    cors_removal: bool = False,
    hosts: Sequence[str] = ("*",),
    fast_lane: bool = True,
    near_cache: int = NEAR_CACHE,
) -> AsyncIterator[str]:
    """Serve a gateway on a free port in front of the node at an address; its URL.

    Unlike one that is started by the command, it serves any host: tests name many.
    """
    stop = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        serving = asyncio.create_task(
            serve(
                sock,
                node_address,
                stop.wait(),
                limits=limits,
                drain=0,
                grace=5,
                access_log=False,
                cors_origins=cors_origins,
                cors_removal=cors_removal,
                hosts=hosts,
                fast_lane=fast_lane,
                near_cache=near_cache,
            )
        )
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            stop.set()
            await serving

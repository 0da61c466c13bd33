"""An ASGI app on a real port, behind the gateway's own connections and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from cache_core.connection_limit import ConnectionLimit
from cache_core.connection_memory import ConnectionMemory
from gateway.http.budget import Budget
from gateway.http.limits import Limits
from gateway.middleware.answered import Answered
from gateway.server.connection.http_connection import HttpConnection
from gateway.server.connection.http_service import HttpService


@asynccontextmanager
async def app_server(app: ASGIApp) -> AsyncIterator[str]:
    """Serve `app` on a free port; its URL."""
    limits, state = Limits(), ServerState()
    state.default_headers = [(b"date", b"now")]
    service = HttpService(
        limits=limits,
        limit=ConnectionLimit(limits.max_connections, print),
        budget=Budget(limits.request_memory),
        memory=ConnectionMemory(limits.answer_memory),
        lost=asyncio.Event(),
        answered=Answered(),
    )
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None)
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpConnection(config, state, {}, service=service), "127.0.0.1", 0
    )
    async with server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            for connection in list(state.connections):
                connection.transport.abort()

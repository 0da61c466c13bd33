"""The gateway's process: uvicorn on a socket, stopped and drained by us."""

import asyncio
import contextlib
import functools
import logging
import socket
from collections.abc import Awaitable, Callable, Collection, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import uvicorn

from cache_core.client.client import Client
from cache_core.connection_limit import ConnectionLimit
from cache_core.connection_memory import ConnectionMemory
from cache_core.logs import LogHook
from gateway.app import create_app
from gateway.http.budget import Budget
from gateway.http.fields import Headers
from gateway.http.hosts import Hosts
from gateway.http.limits import Limits
from gateway.lane.lane import Lane
from gateway.lane.request import Reader
from gateway.middleware.access_log import AccessLog
from gateway.middleware.answered import Answered, Counted
from gateway.middleware.cors import Cors, without_origin
from gateway.middleware.defaults import with_defaults
from gateway.middleware.running import Running
from gateway.server.connection.http_connection import HttpConnection
from gateway.server.connection.http_service import HttpService
from gateway.server.workers import Workers
from gateway.survey.gateway_figures import NEAR, REQUESTS, near_source

logger = logging.getLogger("gaocache")

FLUSH_SECONDS: Final = 1.0
"""Seconds that connections have to take their last answers, before they are aborted."""


async def serve(
    sock: socket.socket,
    nodes: str,
    stop: Awaitable[object],
    *,
    ready: Callable[[], object] = lambda: None,
    limits: Limits,
    drain: float,
    grace: float,
    access_log: bool,
    cors_origins: Collection[str] = (),
    cors_removal: bool = False,
    hosts: Collection[str] = (),
    near_cache: int = 0,
    fast_lane: bool = True,
    worker: Path | None = None,
    workers: int = 1,
) -> None:
    """Serve HTTP on the listening `sock` in front of `nodes` until `stop` is done.

    `nodes` is what a Client takes: one node's address, or where its cluster's members are known.
    `ready` is called once it takes connections. Once `stop` is done, it serves on for `drain`
    seconds, but says that it is not ready. Running requests then have `grace` more seconds to
    finish; after that they are answered 503. Pages of `cors_origins` may read the answers,
    and with `cors_removal` also remove. Requests may name `hosts`, as the class Hosts has it. Up to
    `near_cache` bytes hold copies of nodes' answers. With `fast_lane`, plain GETs go the short way,
    unless there is an access log, because only the long way writes it. `worker` is the path of this
    worker's socket, one of `workers`; None if it is the only one.
    """
    answered = Answered()
    client = Client(nodes, near_cache=near_cache, hook=LogHook(lambda: nodes))
    sources = {REQUESTS: answered, NEAR: near_source(client.near_stats)}
    crew = Workers(sources, worker, workers)
    async with client, crew:
        stopping = asyncio.ensure_future(stop)
        budget = Budget(limits.request_memory)
        served = Hosts(hosts, is_local=ip_address(sock.getsockname()[0]).is_loopback)
        app = create_app(
            client,
            limits=limits,
            hosts=served,
            budget=budget,
            removing_origins=cors_origins if cors_removal else (),
            is_draining=stopping.done,
            figures=crew.figures,
        )
        running = Running(app)
        lost = asyncio.Event()
        cors = Cors(running, cors_origins, removes=cors_removal) if cors_origins else None
        lane = None
        if fast_lane and not access_log:
            near, reader = client if near_cache else None, Reader(limits, served)
            lane = Lane(client, near, running, reader, _finish(cors_origins), answered=answered)
        service = HttpService(
            limits=limits,
            limit=ConnectionLimit(limits.max_connections, logger.warning),
            budget=budget,
            memory=ConnectionMemory(limits.answer_memory),
            lost=lost,
            answered=answered,
            lane=lane,
            on_refusal=(lambda _: ()) if cors is None else cors.on_refusal,
        )
        counted = Counted(cors or running, answered)
        config = uvicorn.Config(
            AccessLog(counted) if access_log else counted,
            http=functools.partial(HttpConnection, service=service),  # type: ignore[arg-type] # it is only called
            ws="none",
            lifespan="off",
            log_config=None,
            server_header=False,
        )
        try:
            server = _Server(config, ready, stopping, running, lost, drain, grace)
            await server.serve(sockets=[sock])
        finally:
            stopping.cancel()


def _finish(cors_origins: Collection[str]) -> Callable[[Headers], Headers]:
    """Return a function that adds the headers that the middlewares add on the long way."""
    if not cors_origins:
        return with_defaults
    return lambda headers: without_origin(with_defaults(headers))


class _Server(uvicorn.Server):
    """uvicorn's server, but it waits for `stopping` and for `lost` connections without polling."""

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], object],
        stopping: asyncio.Future[object],
        running: Running,
        lost: asyncio.Event,
        drain: float,
        grace: float,
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._stopping = stopping
        self._running = running
        self._lost = lost
        self._drain = drain
        self._grace = grace

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the caller of `serve`: uvicorn would end the process by them."""
        yield

    async def main_loop(self) -> None:
        """Say that it serves; renew the Date header every second until it has drained."""
        if not self._stopping.done():
            self._ready()
        while not self._stopping.done():
            await self.on_tick(0)
            await asyncio.wait({self._stopping}, timeout=1)
        now = asyncio.get_running_loop().time
        end = now() + self._drain
        while (left := end - now()) > 0:
            await self.on_tick(0)
            await asyncio.sleep(min(left, 1))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections, let running requests finish within the grace, then end them."""
        for server in self.servers:
            server.close()
        for sock in sockets or ():
            sock.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._wait_for_the_rest(self._grace)
        self._running.end()
        await self._wait_for_the_rest(FLUSH_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _wait_for_the_rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.server_state.connections:
                    self._lost.clear()
                    await self._lost.wait()
                if self.server_state.tasks:  # work that is left once a request is answered
                    await asyncio.wait(self.server_state.tasks)

"""The real gateway as what a proxy stands in front of, with a record of what it was asked."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from fakes import FakeClock, FakeSource

from cache_core import Group, GroupSettings, Node
from gateway.http.limits import Limits
from gateway.server.serving import serve

TTL = 60.0
GROUPS = {
    "scores": GroupSettings(ttl=TTL, jitter=0),
    "tolerant": GroupSettings(ttl=TTL, jitter=0, stale_if_error=600),
    "graceful": GroupSettings(ttl=TTL, jitter=0, stale_while_revalidate=600, stale_if_error=600),
    "remembering": GroupSettings(ttl=TTL, jitter=0, negative_ttl=TTL),
    "lasting": GroupSettings(),
}


class Asked(NamedTuple):
    """A request that reached the gateway, and the status of its answer."""

    method: str
    target: str
    status: int


class Origin:
    """A gateway in front of a node with GROUPS over one `source`, by `clock`.

    `asked` grows with each answer, before it leaves.
    """

    def __init__(self, source: FakeSource, clock: FakeClock) -> None:
        self.source = source
        self.clock = clock
        self.asked: list[Asked] = []
        self._groups = [Group(name, source, given, clock=clock) for name, given in GROUPS.items()]
        self._down = asyncio.Event()
        self._sock = socket.create_server(("127.0.0.1", 0))
        self._serving: asyncio.Task[None] | None = None
        host, port = self._sock.getsockname()
        self.address = f"{host}:{port}"

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """Serve until the end of the block, or until `go_down`."""
        with self._sock, self._recorded():
            async with Node("127.0.0.1:0", self._groups, grace=5) as node:
                serving = serve(
                    self._sock,
                    node.address,
                    self._down.wait(),
                    limits=Limits(timeout=10),
                    drain=0,
                    grace=5,
                    access_log=True,
                )
                self._serving = asyncio.create_task(serving)
                try:
                    yield
                finally:
                    await self.go_down()

    async def go_down(self) -> None:
        """Stop the gateway: whoever connects is refused."""
        assert self._serving is not None
        self._down.set()
        await self._serving

    @contextlib.contextmanager
    def _recorded(self) -> Iterator[None]:
        log = logging.getLogger("gaocache.access")
        level, recorder = log.level, _Recorder(self.asked)
        log.setLevel(logging.INFO)
        log.addHandler(recorder)
        try:
            yield
        finally:
            log.removeHandler(recorder)
            log.setLevel(level)


class _Recorder(logging.Handler):
    """Takes the lines of the access log apart."""

    def __init__(self, asked: list[Asked]) -> None:
        super().__init__()
        self._asked = asked

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.args, tuple)
        _, method, target, _, status = record.args
        self._asked.append(Asked(str(method), str(target), int(str(status))))

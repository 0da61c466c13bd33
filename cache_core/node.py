"""A node: groups by name, served at an address; what an application embeds."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

from cache_core.address import DEFAULT_ADDRESS, Address
from cache_core.events import Hook
from cache_core.group import Group
from cache_core.rpc.server import Server
from cache_core.rpc.service import Service

DEFAULT_GRACE: Final = 10.0
"""Seconds that running calls get to finish in when a node stops."""

SWEEP_SECONDS: Final = 1.0
"""How often expired entries are freed."""

CLOSE_SECONDS: Final = 3.0
"""How long the sources together may take to close."""


class Node:
    """Serves `groups` over gRPC at `address`, `host:port`; port 0 takes a free one.

    `hook` is told of every event in the node and its groups. Use it with `async with`, or call
    start and stop. Nothing is global: any number of nodes live in one process. Raises
    InvalidAddress, and ValueError for two groups of one name.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        groups: Iterable[Group] = (),
        *,
        hook: Hook | None = None,
        grace: float = DEFAULT_GRACE,
    ) -> None:
        self._address = Address.parse(address)
        self._groups: dict[str, Group] = {}
        for group in groups:
            if group.name in self._groups:
                raise ValueError(f"two groups are named {group.name}")
            self._groups[group.name] = group
            if hook is not None:
                group.observe(hook)
        self._hook = hook
        self._grace = grace
        self._server: Server | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def address(self) -> str:
        """Where the node is, as `host:port`; the port in use once it has started."""
        return str(self._address)

    def group(self, name: str) -> Group:
        """Return the group of that name. Raises KeyError."""
        return self._groups[name]

    async def start(self) -> None:
        """Serve, again if it was stopped. Raises OSError where it can't listen at the address."""
        server = Server(Service(self._groups, self._hook), self._address)
        self._address = await server.start()
        self._server = server
        self._sweeping = asyncio.create_task(self._sweep())
        self._stopped = False

    async def stop(self) -> None:
        """Drain: refuse new calls, let running ones finish within the grace, close sources.

        Every source is closed, once, whatever another does; one that takes too long is left
        behind. What they raise is raised in an ExceptionGroup. A node that stops or has
        stopped is left as it is.
        """
        if self._stopped:
            return
        self._stopped = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        server, self._server = self._server, None
        if server is not None:
            await server.stop(self._grace)
        await self._close_sources()

    async def _sweep(self) -> None:
        """Free what expires in the groups, a step at a time, so that no call waits for long."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for group in self._groups.values():
                while group.sweep():  # noqa: ASYNC110 - it frees a step, it waits for nothing
                    await asyncio.sleep(0)

    async def _close_sources(self) -> None:
        closing = [asyncio.create_task(group.aclose()) for group in self._groups.values()]
        if not closing:
            return
        done, late = await asyncio.wait(closing, timeout=CLOSE_SECONDS)
        for task in late:
            task.cancel()
        raised = [task.exception() for task in closing if task in done and not task.cancelled()]
        errors = [error for error in raised if isinstance(error, Exception)]
        if errors:
            raise ExceptionGroup("sources failed to close", errors)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

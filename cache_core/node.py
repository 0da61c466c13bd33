"""A node: groups by name, served at an address; what an application embeds."""

from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

from cache_core.address import Address
from cache_core.events import Hook
from cache_core.group import Group
from cache_core.rpc.server import Server
from cache_core.rpc.service import Service

DEFAULT_ADDRESS: Final = "127.0.0.1:8080"
DEFAULT_GRACE: Final = 10.0
"""Seconds that running calls get to finish in when a node stops."""


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
        self._service = Service(self._groups, hook)
        self._grace = grace
        self._server: Server | None = None

    @property
    def address(self) -> str:
        """Where the node is, as `host:port`; the port in use once it has started."""
        return str(self._address)

    def group(self, name: str) -> Group:
        """Return the group of that name. Raises KeyError."""
        return self._groups[name]

    async def start(self) -> None:
        """Serve. Raises OSError where the address can't be listened at."""
        self._server = Server(self._service, self._address)
        self._address = await self._server.start()

    async def stop(self) -> None:
        """Drain: refuse new calls, let running ones finish within the grace, close sources."""
        if self._server is not None:
            await self._server.stop(self._grace)
            self._server = None
        for group in self._groups.values():
            await group.aclose()

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

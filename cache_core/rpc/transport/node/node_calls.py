"""The calls that run at a node, over all its connections."""

import asyncio
import logging
from typing import Any, Final

from cache_core.connection_limit import ConnectionLimit
from cache_core.connection_memory import ConnectionMemory
from cache_core.rpc.calls import Calls
from cache_core.rpc.engine import DEFAULT_BOUNDS, ConnectionBounds
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.turns import Turns
from cache_core.rpc.service import Service
from cache_core.rpc.transport.node.introspection import Health

logger = logging.getLogger("gaocache")


class NodeCalls:
    """The calls that run at a node, over all its connections, of `service` and `health`.

    `bounds` are what those connections may hold.
    """

    def __init__(
        self, service: Service, health: Health, bounds: ConnectionBounds = DEFAULT_BOUNDS
    ) -> None:
        self.calls: Final = Calls(service)
        self.name: Final = service.participant.name
        self.health: Final = health
        self.turns: Final = Turns(asyncio.get_running_loop().call_soon)
        self.bounds: Final = bounds
        self.memory: Final = ConnectionMemory(bounds.total)
        self.limit: Final = ConnectionLimit(bounds.most, logger.warning)
        self.is_ending = False
        self.tasks = dict[ServerCall, asyncio.Task[Any]]()
        self.watches = set[ServerCall]()

    async def finish(self, grace: float) -> None:
        """Wait `grace` seconds at the most until only watches run; then end the other calls."""
        loop = asyncio.get_running_loop()
        until = loop.time() + grace
        while running := self._running():
            _, late = await asyncio.wait(running, timeout=max(0, until - loop.time()))
            if late and loop.time() >= until:
                break
        self.is_ending = True
        for task in self._running():
            task.cancel()

    def cancel(self) -> None:
        """End the watches that are left."""
        for task in list(self.tasks.values()):
            task.cancel()

    def _running(self) -> list[asyncio.Task[Any]]:
        return [task for call, task in self.tasks.items() if call not in self.watches]

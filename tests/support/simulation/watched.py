"""Watching over the simulated network: what a client's Peer does beside answering.

A stream that is cut off or reset goes on at the node, in vain, until the client has heard of it: an
end that only the node sees is not simulated, for TCP tells both.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from math import inf

from simulation.call import Call
from simulation.loop import Process
from simulation.network import Endpoint, Network
from simulation.wire import Wire

from cache_core.cluster.watchers import ACK_SECONDS
from cache_core.errors import CacheError, PeerUnavailable
from cache_core.messages import Notice


class WatchedWire(Wire):
    """The Peer by which the client `here` asks the node `to`, and watches it."""

    async def watch(self) -> AsyncGenerator[Notice, None]:
        """Yield what the node tells."""
        stream = _Stream(self._network, self._here, self._to, inf)
        silence: float | None = None
        stream.leave()
        try:
            while True:
                async with asyncio.timeout(silence):
                    came = await stream.came.get()
                if came is None:
                    return
                if isinstance(came, CacheError):
                    raise came
                silence = came.silence
                yield came
        except TimeoutError as error:
            raise PeerUnavailable("the node is silent", node=self._to) from error
        finally:
            self._network.later(stream.cancel)

    async def acknowledge(self, watcher: str, sequence: int) -> None:
        """Tell the node."""
        call = _Acknowledge(self._network, self._here, self._to, ACK_SECONDS)
        call.watcher, call.sequence = watcher, sequence
        await self._run(call)

    async def leave(self, watcher: str) -> None:
        """Tell the node."""
        call = _Leave(self._network, self._here, self._to, ACK_SECONDS)
        call.watcher = watcher
        await self._run(call)


class _Stream(Call[None]):
    def __init__(self, network: Network, here: Process, to: str, timeout: float) -> None:
        super().__init__(network, here, to, timeout)
        self.came: asyncio.Queue[Notice | CacheError | None] = asyncio.Queue()

    def settle(self, answer: None) -> None:
        self.came.put_nowait(answer)

    def raises(self, error: CacheError) -> None:
        self.came.put_nowait(error)

    async def serve(self, endpoint: Endpoint) -> None:
        if endpoint.refuses_gets:
            return self.respond(endpoint, self.fail, "the node is draining")
        watching = endpoint.participant.watchers.watch(self.here.name)
        async with aclosing(watching) as notices:
            async for notice in notices:
                self.respond(endpoint, self.came.put_nowait, notice)
        self.respond(endpoint, self.settle, None)
        return None


class _Acknowledge(Call[None]):
    watcher = ""
    sequence = 0

    async def serve(self, endpoint: Endpoint) -> None:
        endpoint.participant.watchers.acknowledge(self.watcher, self.sequence)
        self.respond(endpoint, self.settle, None)


class _Leave(Call[None]):
    watcher = ""

    async def serve(self, endpoint: Endpoint) -> None:
        endpoint.participant.watchers.leave(self.watcher)
        self.respond(endpoint, self.settle, None)

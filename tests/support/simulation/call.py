"""A call over the simulated network, from the caller to the node and back."""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Generic, TypeVar

from simulation.loop import Process
from simulation.network import Endpoint, Fate, Network

from cache_core.errors import CacheError, DeadlineExceeded, PeerUnavailable

A = TypeVar("A")


class Call(Generic[A]):
    """A call, seen from both ends: `answer` is the caller's, `serve` what the node does."""

    def __init__(self, network: Network, here: Process, to: str, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        self.network = network
        self.here = here
        self.to = to
        self.timeout = timeout
        self.answer: asyncio.Future[A] = loop.create_future()
        self.target = network.endpoints.get(to)
        self.arrived = 0.0
        self._task: asyncio.Task[None] | None = None
        self._last = 0.0
        self._ended = False

    def leave(self) -> None:
        """Send the request on its way."""
        if not self.here.is_alive:
            return
        fate = self.network.fate(self.here.name, self.to)
        if (self.here.name, self.to) in self.network.refused:
            fate = Fate.RESET
        if fate is Fate.RESET:
            self.network.later(self.fail, "the connection was reset")
        elif fate is Fate.ARRIVES:
            delay = self.network.delay_on(self.here.name, self.to)
            self.network.at(asyncio.get_running_loop().time() + delay, self.arrive)

    def arrive(self) -> None:
        """Take the request in at the node."""
        endpoint = self.network.endpoints.get(self.to)
        if endpoint is not None and endpoint.is_silent:
            endpoint.lost.append(self)
        elif endpoint is None or not endpoint.listens or endpoint is not self.target:
            self.network.later(self.fail, "the connection was refused")
        elif not self._ended:
            self.arrived = asyncio.get_running_loop().time()
            endpoint.running[self] = None
            asyncio.get_running_loop().call_soon(
                self.begin, endpoint, context=endpoint.process.context
            )

    def begin(self, endpoint: Endpoint) -> None:
        """Start to answer; runs in the node's process."""
        if not self._ended:
            self._task = endpoint.process.spawn(self._serve_in_time(endpoint))

    def respond(self, endpoint: Endpoint, deliver: Callable[..., None], *args: object) -> None:
        """Send an answer on its way; those of a call come in order."""
        if not endpoint.process.is_alive or self._ended:
            return
        fate = self.network.fate(self.to, self.here.name)
        if fate is not Fate.ARRIVES:
            self._ended = True
            self.network.broken.append(self)
        if fate is Fate.RESET:
            self.network.later(self.fail, "the connection was reset")
        elif fate is Fate.ARRIVES:
            now = asyncio.get_running_loop().time()
            self._last = max(self._last, now + self.network.delay_on(self.to, self.here.name))
            self.network.at(self._last, deliver, *args)

    def hand(self, take: Callable[..., None], *args: object) -> None:
        """Let the caller take something once its process runs."""
        loop = asyncio.get_running_loop()
        loop.call_soon(take, *args, context=self.here.context)

    def settle(self, answer: A) -> None:
        """Let the caller have the answer."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def raises(self, error: CacheError) -> None:
        """Let the caller have the error."""
        if not self.answer.done():
            self.answer.set_exception(error)

    def fail(self, words: str) -> None:
        """Let the caller know that the node can't be reached."""
        self.raises(PeerUnavailable(words, node=self.to))

    def expire(self) -> None:
        """End at the caller's deadline."""
        self.raises(DeadlineExceeded("the deadline has passed", node=self.to))

    def cancel(self) -> None:
        """End it at the node: its caller has gone."""
        self._ended = True
        if self._task is not None:
            self._task.cancel()

    def stop(self, words: str | None) -> None:
        """End it at the node; tell the caller `words`, if any."""
        if words is not None and not self._ended:
            self.network.later(self.fail, words)
        self.cancel()

    async def serve(self, endpoint: Endpoint) -> None:
        """Answer at the node."""
        raise NotImplementedError

    async def _serve_in_time(self, endpoint: Endpoint) -> None:
        limit = asyncio.timeout(self.timeout if self.timeout < inf else None)
        try:
            async with limit:
                await self.serve(endpoint)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            if not limit.expired():  # then the caller has met its own deadline
                self.network.watcher.crashed(endpoint.name, error)
        finally:
            endpoint.running.pop(self, None)

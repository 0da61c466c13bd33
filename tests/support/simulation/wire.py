"""Calls over the simulated network: the Peer that nodes and clients ask one another through."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from math import inf
from typing import Any, Final, TypeVar, cast

from simulation.call import Call
from simulation.loop import Process
from simulation.network import Endpoint, Network, peek
from task_peer import TaskPeer

from cache_core.cluster.peer import Ask
from cache_core.errors import CacheError, DeadlineExceeded, PeerUnavailable
from cache_core.messages import (
    Handed,
    HandOver,
    Message,
    Probe,
    Probed,
    RemoveEverywhere,
    RemoveHere,
)
from cache_core.trace import current_trace
from cache_core.value import Value

A = TypeVar("A")

FORWARDED: Final = "forwarded=1"
"""The trace state of what runs on behalf of another node: it must ask nobody else."""


class Wire(TaskPeer):
    """The Peer by which `here` asks the node `to`."""

    def __init__(self, network: Network, here: Process, to: str) -> None:
        self._network = network
        self._here = here
        self._to = to
        self._calls: dict[Call[Any], None] = {}
        self._closed = False

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:
        """Answer or fail each of `asks`, as soon as its outcome has come."""
        await self._run(_Get(self._network, self._here, self._to, timeout, asks, ring))

    async def send(self, message: Message[A], *, timeout: float) -> A:
        """Return the node's answer."""
        call = _Send(self._network, self._here, self._to, timeout, message)
        began = asyncio.get_running_loop().time()
        try:
            answer = await self._run(call)
        except DeadlineExceeded:
            if isinstance(message, Probe):
                took = asyncio.get_running_loop().time() - began
                self._network.probe_timed_out(took)
            raise
        if isinstance(answer, Probed) and answer.missed:
            self._network.watcher.told(self._here, answer.missed)
        return cast("A", answer)

    async def aclose(self) -> None:
        """End the calls that run."""
        self._closed = True
        for call in list(self._calls):
            call.fail("the connection was closed")

    async def _run(self, call: Call[A]) -> A:
        if self._closed:
            raise PeerUnavailable("the connection is closed", node=self._to)
        self._calls[call] = None
        loop = asyncio.get_running_loop()
        timer = loop.call_later(call.timeout, call.expire) if call.timeout < inf else None
        try:
            call.leave()
            return await call.answer
        except asyncio.CancelledError:
            self._network.later(call.cancel)
            raise
        finally:
            del self._calls[call]
            if timer is not None:
                timer.cancel()


class _Send(Call[object]):
    def __init__(
        self, network: Network, here: Process, to: str, timeout: float, message: Message[Any]
    ) -> None:
        super().__init__(network, here, to, timeout)
        self.message = message

    def begin(self, endpoint: Endpoint) -> None:
        if not isinstance(self.message, Probe):
            return super().begin(endpoint)
        endpoint.running.pop(self, None)
        if self.message.missed:
            self.network.watcher.told(endpoint.process, self.message.missed)
        answer = _at_once(endpoint.participant.receive(self.message))
        self.respond(endpoint, self.hand, self.settle, answer)
        return None

    async def serve(self, endpoint: Endpoint) -> None:
        message = self.message
        if not isinstance(message, RemoveEverywhere | RemoveHere):
            return await self._answer(endpoint, message)
        left = self.timeout - (asyncio.get_running_loop().time() - self.arrived)
        message = replace(message, timeout=None if left == inf else left)
        if isinstance(message, RemoveHere):
            self.network.watcher.told(endpoint.process, message.items)
        return await self._answer(endpoint, message)

    async def _answer(self, endpoint: Endpoint, message: Message[Any]) -> None:
        try:
            answer = await self._received(endpoint, message)
        except CacheError as error:
            return self.respond(endpoint, self.hand, self.raises, _named(error, self.to))
        if isinstance(message, HandOver) and answer:
            handed = cast("Sequence[Handed]", answer)
            self.network.watcher.handed(self.here, endpoint, handed)
            since = asyncio.get_running_loop().time()
            await asyncio.sleep(self.network.bulk())
            return self.respond(
                endpoint, self.hand, self._take_over, endpoint.process, handed, since
            )
        self.respond(endpoint, self.hand, self.settle, answer)
        return None

    def _take_over(self, giver: Process, handed: Sequence[Handed], since: float) -> None:
        took = asyncio.get_running_loop().time() - since
        for entry in handed:
            self.network.watcher.travelled(entry.value, giver, self.here, took)
        self.settle(handed)

    async def _received(self, endpoint: Endpoint, message: Message[Any]) -> object:
        if not isinstance(message, RemoveEverywhere):
            return await endpoint.participant.receive(message)
        with self.network.watcher.removing(endpoint.process, message.what, message.timeout):
            return await endpoint.participant.receive(message)


class _Get(Call[None]):
    def __init__(
        self,
        network: Network,
        here: Process,
        to: str,
        timeout: float,
        asks: Sequence[Ask],
        ring: int,
    ) -> None:
        super().__init__(network, here, to, timeout)
        self.asks = asks
        self.ring = ring
        for ask in asks:
            if ask.trace.state == FORWARDED:
                network.watcher.forwarded_again(here, to, ask.key)

    async def serve(self, endpoint: Endpoint) -> None:
        if endpoint.refuses_gets:
            return self.respond(endpoint, self.fail, "the node is draining")
        endpoint.participant.note_ring(self.ring)
        slow = [ask for ask in self.asks if not self._peek(endpoint, ask)]
        if len(slow) == 1:
            await self._load(endpoint, slow[0])
        elif slow:
            await asyncio.gather(*(self._load(endpoint, ask) for ask in slow))
        self.respond(endpoint, self.settle, None)
        return None

    def _peek(self, endpoint: Endpoint, ask: Ask) -> bool:
        try:
            value = peek(self.network, endpoint, ask.group, ask.key, forwarded=ask.forwarded)
        except CacheError as error:
            self._give(endpoint, ask, error)
            return True
        if value is None:
            return False
        self._give(endpoint, ask, value)
        return True

    async def _load(self, endpoint: Endpoint, ask: Ask) -> None:
        current_trace.set(ask.trace._replace(state=FORWARDED) if ask.forwarded else ask.trace)
        get = endpoint.participant.get(ask.group, ask.key, forwarded=ask.forwarded)
        try:
            answer: Value | CacheError = await get
        except CacheError as error:
            answer = error
        self._give(endpoint, ask, answer)

    def _give(self, endpoint: Endpoint, ask: Ask, answer: Value | CacheError) -> None:
        if isinstance(answer, Value):
            answer = answer._replace(node=answer.node or endpoint.name)
        else:
            answer = _named(answer, endpoint.name)
        now = asyncio.get_running_loop().time()
        self.respond(endpoint, self.hand, self._take, endpoint, ask, answer, now)

    def _take(
        self, endpoint: Endpoint, ask: Ask, answer: Value | CacheError, answered: float
    ) -> None:
        if ask.is_settled:
            return
        self.network.watcher.carried(endpoint, self.here, ask.key, answer, self.arrived)
        if isinstance(answer, Value):
            took = asyncio.get_running_loop().time() - answered
            self.network.watcher.travelled(answer, endpoint.process, self.here, took)
        ask.settle(answer)


def _named(error: CacheError, node: str) -> CacheError:
    """Return the error as it is read from the wire: another object, which names its node."""
    read = type(error).__new__(type(error), *error.args)
    read.__dict__.update(error.__dict__, node=error.node or node)
    return read


def _at_once(answering: Coroutine[Any, Any, A]) -> A:
    """Return what a coroutine that waits for nothing returns, without a task."""
    try:
        answering.send(None)
    except StopIteration as returned:
        return cast("A", returned.value)
    raise AssertionError("a probe is answered at once")

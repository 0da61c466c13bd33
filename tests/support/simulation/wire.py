"""Calls over the simulated network: the Peer that nodes and clients ask one another through."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from math import inf
from typing import Any, Final, Generic, TypeVar, cast

from simulation.loop import Process
from simulation.network import Endpoint, Fate, Network, peek

from cache_core.cluster.peer import Ask
from cache_core.errors import CacheError, DeadlineExceeded, PeerUnavailable
from cache_core.messages import HandOver, Message, Probe, Probed, RemoveEverywhere, RemoveHere
from cache_core.trace import current_trace
from cache_core.value import Value

A = TypeVar("A")

FORWARDED: Final = "forwarded=1"
"""The trace state of what runs on behalf of another node: it must ask nobody else."""


class Wire:
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
        answer = await self._run(call)
        if isinstance(answer, Probed) and answer.missed:
            self._network.watcher.told(self._here, answer.missed)
        return cast("A", answer)

    async def aclose(self) -> None:
        """End the calls that run."""
        self._closed = True
        for call in list(self._calls):
            call.fail("the connection was closed")

    async def _run(self, call: "Call[A]") -> A:
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
        if fate is Fate.RESET:
            self.network.later(self.fail, "the connection was reset")
        elif fate is Fate.ARRIVES:
            self.network.later(self.arrive)

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
        if fate is Fate.RESET:
            self.network.later(self.fail, "the connection was reset")
        elif fate is Fate.ARRIVES:
            now = asyncio.get_running_loop().time()
            self._last = max(self._last, now + self.network.delay())
            self.network.at(self._last, deliver, *args)

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
        self.respond(endpoint, self.settle, _at_once(endpoint.participant.receive(self.message)))
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
        self.network.watcher.told(endpoint.process, (message.what,))
        with self.network.watcher.removing(message.what):
            return await self._answer(endpoint, message)

    async def _answer(self, endpoint: Endpoint, message: Message[Any]) -> None:
        try:
            answer = await endpoint.participant.receive(message)
        except CacheError as error:
            self.respond(endpoint, self.raises, _named(error, self.to))
        else:
            if isinstance(message, HandOver) and answer:
                self.network.watcher.handed(self.here, endpoint, answer)
                await asyncio.sleep(self.network.bulk())
            self.respond(endpoint, self.settle, answer)


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
        self.respond(endpoint, self._deliver, endpoint, ask, answer)

    def _deliver(self, endpoint: Endpoint, ask: Ask, answer: Value | CacheError) -> None:
        """Let the asker have the answer once its process runs."""
        loop = asyncio.get_running_loop()
        loop.call_soon(self._take, endpoint, ask, answer, context=self.here.context)

    def _take(self, endpoint: Endpoint, ask: Ask, answer: Value | CacheError) -> None:
        if ask.is_settled:
            return
        self.network.watcher.carried(endpoint, self.here, ask.key, answer, self.arrived)
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

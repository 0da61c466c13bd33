"""Messages between processes in one event loop: delayed, lost, cut off, and refused by the dead."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import Context
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol, TypeAlias, TypeVar

from simulation.history import History
from simulation.loop import Process

from cache_core.cluster.health import SILENCE_SECONDS, STALLED
from cache_core.errors import CacheError
from cache_core.messages import Handed, Removal
from cache_core.node.participant import Participant
from cache_core.value import Value

A = TypeVar("A")

Way: TypeAlias = tuple[str, str]
"""From a sender to a receiver, by their names."""

SLOWEST: Final = 2.0
"""The longest that a message that arrives is on its way, in seconds."""

HELD_UP: Final = "probe held up"
"""What probes are counted as that took longer than their own deadline, by more than a little."""

ROOT: Final = Context()
"""Where messages move: no process, so that nothing freezes them."""


class Fate(Enum):
    """What becomes of a message."""

    ARRIVES = auto()
    LOST = auto()
    RESET = auto()
    """The connection breaks: the caller hears of it, whatever the other end does."""


@dataclass(slots=True)
class Weather:
    """How messages fare: chances, and the mean of a delay in seconds."""

    loss: float = 0.0
    reset: float = 0.0
    delay: float = 0.002
    slow: float = 0.0
    """The chance that a message takes a hundred times as long."""


class NetworkWatcher(Protocol):
    """Told of what travels."""

    def told(self, process: Process, items: Sequence[Removal]) -> None:
        """A node is about to remove `items`."""

    def removing(
        self, by: Process, item: Removal, timeout: float | None
    ) -> AbstractContextManager[None]:
        """In the body, which raises where that fails, a node removes `item` everywhere."""

    def tier_took(self, by: Process, key: str | None) -> None:
        """The tier took a removal of `key`, or of everything, that a node had owed it."""

    def carried(
        self, asked: "Endpoint", to: Process, key: str, answer: Value | CacheError, since: float
    ) -> None:
        """An answer came to `to`, from `asked`, whose work on it had begun at `since`."""

    def travelled(self, value: Value, sender: Process, to: Process, seconds: float) -> None:
        """A value came, so long after `sender` had told how long it stays fresh."""

    def handed(self, to: Process, asked: "Endpoint", entries: Sequence[Handed]) -> None:
        """A node gives another the entries that are its own."""

    def copied(self, process: Process, key: str, value: Value) -> None:
        """A node answered from its hot cache."""

    def forwarded_again(self, by: Process, to: str, key: str) -> None:
        """A node asks another on behalf of a third."""

    def crashed(self, where: str, error: BaseException) -> None:
        """A node raised what is no CacheError."""


class Endpoint:
    """A node as the network finds it at its address: one incarnation of it."""

    def __init__(self, name: str, process: Process, participant: Participant) -> None:
        self.name = name
        self.process = process
        self.participant = participant
        self.listens = True
        self.is_silent = False
        """Whether its machine is gone too, so that nobody says that it is dead."""
        self.refuses_gets = False
        """Whether it answers messages only: its server drains."""
        self.hot_hits = 0
        self.running: dict[Running, None] = {}
        self.lost: list[Running] = []
        """Calls that came while its machine was gone."""


class Running(Protocol):
    """A call that is being answered."""

    def stop(self, words: str | None) -> None:
        """End it at the node; tell the caller `words`, if any."""

    def fail(self, words: str) -> None:
        """Let the caller know that the node can't be reached."""


class Network:
    """Decides on every message, from `rng` alone."""

    def __init__(self, rng: random.Random, history: History, watcher: NetworkWatcher) -> None:
        self.weather = Weather()
        self.endpoints: dict[str, Endpoint] = {}
        self.blocked: set[Way] = set()
        self.refused: set[Way] = set()
        """Who can't call whom, and hears so at once; answers to calls the other way get through."""
        self.slow: dict[Way, float] = {}
        """By how many seconds a message is late on its way."""
        self.broken: list[Running] = []
        """Calls whose answers did not get through: a stream may not have noticed."""
        self.watcher = watcher
        self._rng = rng
        self._history = history

    def fate(self, sender: str, receiver: str) -> Fate:
        """Return what becomes of a message."""
        if (sender, receiver) in self.blocked:
            self._history.count("message cut off")
            return Fate.RESET if self._rng.random() < 0.2 else Fate.LOST
        weather = self.weather
        if weather.loss or weather.reset:
            chance = self._rng.random()
            if chance < weather.loss:
                self._history.count("message lost")
                return Fate.LOST
            if chance < weather.loss + weather.reset:
                self._history.count("connection reset")
                return Fate.RESET
        return Fate.ARRIVES

    def later(self, do: Callable[..., object], *args: object) -> None:
        """Do it after a message's delay."""
        self.at(asyncio.get_running_loop().time() + self.delay(), do, *args)

    def at(self, when: float, do: Callable[..., object], *args: object) -> None:
        """Do it at that time."""
        asyncio.get_running_loop().call_at(when, do, *args, context=ROOT)

    def delay_on(self, sender: str, receiver: str) -> float:
        """Return how long a message takes from one to the other."""
        return self.delay() + self.slow.get((sender, receiver), 0.0)

    def probe_timed_out(self, seconds: float) -> None:
        """Count a probe whose prober was held up, so that its end came late."""
        if seconds > STALLED * SILENCE_SECONDS:
            self._history.count(HELD_UP)

    def delay(self) -> float:
        """Return how long a message takes."""
        weather, chance = self.weather, self._rng.random()
        factor = 100 if weather.slow and self._rng.random() < weather.slow else 1
        return min(weather.delay * factor * (0.2 + 1.6 * chance), SLOWEST)

    def bulk(self) -> float:
        """Return how long it takes to send many entries, however short the way."""
        return self._rng.uniform(0, 20 * self.weather.delay)

    def cut(self, sender: str, receiver: str) -> None:
        """Let nothing through from one to the other."""
        self.blocked.add((sender, receiver))

    def heal(self) -> None:
        """Let everything through again."""
        self.blocked.clear()
        self.refused.clear()
        self.slow.clear()

    def reset(self) -> None:
        """Let who waits for an answer that did not get through hear of it, as by a keepalive."""
        broken, self.broken = self.broken, []
        for call in broken:
            self.later(call.fail, "the connection was reset")

    def open(self, endpoint: Endpoint) -> None:
        """Let `endpoint` be found; it knows nothing of connections to who was there before."""
        before = self.endpoints.get(endpoint.name)
        for call in before.lost if before else ():
            self.later(call.fail, "the connection was reset")
        self.endpoints[endpoint.name] = endpoint

    def crash(self, endpoint: Endpoint, *, silent: bool) -> None:
        """Let nobody hear from `endpoint` any more; who waits for it hears so, unless `silent`."""
        endpoint.listens = False
        endpoint.is_silent = silent
        for call in list(endpoint.running):
            call.stop(None if silent else "the connection was reset")
        endpoint.lost = list(endpoint.running) if silent else []
        endpoint.process.kill()

    def stop(self, endpoint: Endpoint) -> None:
        """Take no more calls, and end those that run, with an answer."""
        endpoint.listens = False
        for call in list(endpoint.running):
            call.stop("the node is stopping")


def peek(
    network: Network, endpoint: Endpoint, group: str, key: str, *, forwarded: bool = False
) -> Value | None:
    """Return what the node has at once, and say if that is a copy."""
    participant = endpoint.participant
    value = participant.peek(group, key, forwarded=forwarded)
    if value is not None and participant.peers.owner(key) != endpoint.name:
        hits = participant.groups[group].info().sharing.hot_hits
        if hits > endpoint.hot_hits:
            endpoint.hot_hits = hits
            network.watcher.copied(endpoint.process, key, value)
    return value

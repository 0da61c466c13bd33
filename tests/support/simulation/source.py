"""The slow source that all nodes load from: every key has a version, each write makes the next."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final, Protocol

from simulation.history import History
from simulation.loop import Process

from cache_core import CacheError, NotFound, RetrieverFailed, SourceUnavailable, Value
from cache_core.trace import current_trace

ABSENT: Final = 0.1
"""How often a write takes the key away."""


@dataclass(slots=True, eq=False)
class Load:
    """One look-up; `call` is the read that it runs for, `words` what the source said."""

    number: int
    process: Process
    key: str
    call: str
    began: float
    version: int | None = None
    error: type[CacheError] | None = None
    words: str = ""
    ended: float | None = None


class LoadWatcher(Protocol):
    """Told of each look-up as it begins and ends."""

    def load_began(self, load: Load) -> None: ...

    def load_ended(self, load: Load) -> None: ...


@dataclass(slots=True)
class Mood:
    """How the source behaves: the chances to fail and to hang, and how slow it is, in seconds."""

    fails: float = 0.0
    hangs: float = 0.0
    slowness: float = 0.03

    @property
    def is_healthy(self) -> bool:
        return not (self.fails or self.hangs) and self.slowness < 0.1


class Source:
    """Versions by key. A version's words and bytes name it: `version_in` reads them back.

    A value's bytes name its load too, for `load_in`.
    """

    def __init__(self, keys: Iterable[str], rng: random.Random, history: History) -> None:
        self.versions = dict.fromkeys(keys, 1)
        self.loads: list[Load] = []
        self.mood = Mood()
        self.watcher: LoadWatcher | None = None
        self._rng = rng
        self._history = history
        self._absent: set[tuple[str, int]] = set()

    def write(self, key: str) -> int:
        """Make the key's next version, and return it."""
        self.versions[key] += 1
        version = self.versions[key]
        if self._rng.random() < ABSENT:
            self._absent.add((key, version))
        self._history.note("source", "written", key, version)
        return version

    def snapshot(self, key: str | None) -> Mapping[str, int]:
        """Return the version now of `key`, or of all keys."""
        return dict(self.versions) if key is None else {key: self.versions[key]}

    async def look_up(self, process: Process, key: str) -> Value:
        """Return what the key is when the source gets to it. Raises what a source may raise."""
        clock = asyncio.get_running_loop().time
        load = Load(len(self.loads) + 1, process, key, current_trace.get().parent, clock())
        self.loads.append(load)
        if self.watcher is not None:
            self.watcher.load_began(load)
        try:
            return await self._answer(load)
        finally:
            load.ended = clock()
            if self.watcher is not None:
                self.watcher.load_ended(load)

    async def _answer(self, load: Load) -> Value:
        rng, mood = self._rng, self.mood
        hangs, fails = rng.random() < mood.hangs, rng.random() < mood.fails
        await asyncio.sleep(rng.expovariate(1 / mood.slowness))
        if hangs:
            await asyncio.sleep(inf)
        if fails:
            load.words = f"load {load.number} of {load.key} failed"
            load.error = rng.choice([RetrieverFailed, SourceUnavailable])
            raise load.error(load.words)
        load.version = version = self.versions[load.key]
        await asyncio.sleep(rng.expovariate(1 / mood.slowness))
        if (load.key, version) in self._absent:
            load.error, load.words = NotFound, f"{load.key} {version} not exist"
            raise NotFound(load.words)
        padding = "x" * rng.randrange(200)
        return Value(f"{load.key} {version} {load.number} {padding}".encode())


def version_in(text: str) -> int:
    """Return the version that a value's bytes or a NotFound's words name."""
    return int(text.split(maxsplit=2)[1])


def load_in(value: Value) -> int:
    """Return the number of the load that `value` is of."""
    return int(value.data.split(maxsplit=3)[2])


class NodeSource:
    """The Retriever of one node."""

    def __init__(self, source: Source, process: Process) -> None:
        self._source = source
        self._process = process

    async def retrieve(self, key: str) -> Value:
        return await self._source.look_up(self._process, key)

    async def aclose(self) -> None:
        """Do nothing: the source goes on for others."""

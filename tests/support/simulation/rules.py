"""The rules that must always hold, checked as things happen."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from simulation.ages import EPSILON, AgeRule
from simulation.history import History
from simulation.loads import LoadRule
from simulation.loop import Process
from simulation.network import Endpoint
from simulation.outcome import Outcome, Read, content_of, is_own_word, version_of, words_of
from simulation.removals import TIER, Fetch, HandedOver, RemovalRule, Removed, TierRead
from simulation.source import Load, Source, version_in

from cache_core import CacheError, GroupSettings, NotFound, RetrieverFailed, Value
from cache_core.errors import Overloaded
from cache_core.messages import Handed, Removal
from cache_core.node.removal import DEFAULT_SECONDS

WEIGHED: Final = 4
"""After every so many loads, the node's bytes are counted: it takes as long as a read."""


class RuleBroken(Exception):
    """A rule did not hold; the words say which, when, and what led to it."""


class Rules:
    """Watches a run. `steady_owner` gives a key's owner while all agree on it and no fault was
    lately, else None; the first broken rule ends the run through `broken`.
    """

    def __init__(
        self,
        source: Source,
        history: History,
        settings: GroupSettings,
        endpoints: Callable[[], Mapping[str, Endpoint]],
        steady_owner: Callable[[str], str | None],
        *,
        has_tier: bool,
    ) -> None:
        self.removals = RemovalRule(settings.hot_ttl)
        self._ages = AgeRule(settings, source.loads)
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._clock = asyncio.get_running_loop().time
        self._source = source
        self._history = history
        self._settings = settings
        self._endpoints = endpoints
        self._steady_owner = steady_owner
        self._loads = LoadRule(history, steady_owner, self.broke, has_tier=has_tier)
        self._has_tier = has_tier
        self._reads = 0
        self._flushed = False
        self._came: dict[tuple[Process, str, bytes], float] = {}
        self._said: dict[tuple[Process, str, bytes | str, str | None], Process] = {}

    def broke(self, rule: str, about: str, *details: object) -> None:
        """End the run: `rule` did not hold."""
        self._history.note("rules", "BROKEN", rule, about, *details)
        if not self.broken.done():
            words = " ".join(map(str, (rule, about, *details)))
            lines = self._history.tail(about)
            self.broken.set_exception(RuleBroken(f"{words} at {self._clock():.4f}\n{lines}"))

    # Reads and removals, by clients

    def read_began(
        self, at: Process, key: str, timeout: float, *, must_succeed: bool, is_inside: bool = False
    ) -> Read:
        self._reads += 1
        read = Read(self._reads, at, is_inside, key, self._clock(), timeout, must_succeed)
        self._history.note(read.who, "asks", read.call, key, f"within {timeout:.3g}")
        return read

    def read_ended(self, read: Read, outcome: Outcome) -> None:
        """Judge an outcome."""
        told = type(outcome).__name__
        if isinstance(outcome, Value):
            told = f"{version_in(outcome.data.decode())} {outcome.answer} by {outcome.node}"
        self._history.note(read.who, "has", read.call, read.key, told, *words_of(outcome))
        late = self._clock() - read.began - read.timeout
        if late > EPSILON:
            self.broke("a call outlived its deadline", read.key, read.call, f"{late:.4f} s")
        if isinstance(outcome, CacheError):
            self._check_error(read, outcome)
        if isinstance(outcome, Value | NotFound):
            self._check_version(read, outcome)
        self._check_lookups(read, outcome)

    def copy_read(self, read: Read, copy: Value) -> None:
        """Judge what a client had from its own near cache."""
        version = version_in(copy.data.decode())
        self._history.note(read.who, "answers a near copy of", read.key, version, copy.node or "")
        self._check_age(read.key, copy, read.began, read.at)
        removal = self.removals.broken_by_copy(read.key, version, read.began, read.at)
        self._history.counts["read excused"] = self.removals.excused
        if removal is not None:
            floor = removal.floors[read.key]
            self.broke("a removed copy was read", read.key, version, "not", floor, read.who)

    def removal_began(self, who: str, key: str | None) -> Removed:
        self._history.note(who, "removes", key or "everything")
        self._flushed |= key is None
        if key is not None and self._loads.runs(key):
            self._history.count("removal during a load")
        return Removed(self._source.snapshot(key), self._clock())

    def removal_ended(
        self, who: str, removal: Removed, unreached: Sequence[str], timeout: float
    ) -> None:
        self._check_removal_time(removal, timeout)
        removal.ended = self._clock()
        removal.unreached = frozenset(unreached)
        self._history.note(who, "removed", *removal.floors.items(), "unreached", *unreached)
        if unreached:
            self._history.count("unreached named")
        self.removals.returned(removal)

    def removal_failed(
        self, who: str, removal: Removed, error: CacheError, timeout: float, *, must_succeed: bool
    ) -> None:
        self._history.note(who, "failed to remove", *removal.floors, repr(error))
        self._check_removal_time(removal, timeout)
        if must_succeed:
            self.broke("a removal failed though nothing did", " ".join(removal.floors), repr(error))

    def _check_removal_time(self, removal: Removed, timeout: float) -> None:
        if self._clock() - removal.began - timeout > EPSILON:
            self.broke("a removal outlived its deadline", " ".join(removal.floors))

    # What the network sees

    def told(self, process: Process, items: Sequence[Removal]) -> None:
        for item in items:
            self._history.note(process.name, "is told to remove", item.key or "everything")
            if item.key is None and not self._flushed:
                self.broke("a node was told to remove everything for nothing", "", process.name)
            self.removals.tell(process, item.key, self._clock())
            self._loads.fence(process, item, self._clock())

    @contextmanager
    def removing(self, by: Process, item: Removal, timeout: float | None) -> Iterator[None]:
        began, limit = self._clock(), min(timeout or DEFAULT_SECONDS, DEFAULT_SECONDS)
        self._loads.fence(by, item, began)
        if not self._has_tier:  # else the tier is told first
            self.removals.leads(by, item.key, began)
        try:
            with self._loads.removing(item):
                yield
            self.removals.led(by, item.key, began, self._clock())
        finally:
            took = self._clock() - began
            if took > limit + EPSILON and not by.is_frozen and by.thawed < began:
                self.broke("a node removed for too long", item.key or "", by.name, f"{took:.3f}")

    def tier_took(self, by: Process, key: str | None) -> None:
        self._history.note(by.name, "has told the tier to remove", key or "everything")
        self._loads.fence(by, Removal("", key), self._clock())
        self.removals.tier_took(by, key, self._clock())

    def carried(
        self, asked: Endpoint, to: Process, key: str, answer: Outcome, since: float
    ) -> None:
        if not isinstance(answer, Value | NotFound):
            return
        now, kept = self._clock(), isinstance(answer, Value)
        fetch = Fetch(version_of(answer), to, asked.process, since, now, kept)
        self.removals.fetched(key, fetch)
        said = key, content_of(answer), answer.node
        own = answer.node == asked.name
        self._said[to, *said] = asked.process if own else self._said[asked.process, *said]
        if isinstance(answer, Value):
            self._came[to, key, answer.data] = now + self._settings.hot_ttl

    def travelled(self, value: Value, sender: Process, to: Process, seconds: float) -> None:
        self._ages.came(value, sender, to, seconds)

    def tier_written(self, by: Process, value: Value, seconds: float) -> None:
        self._ages.came(value, by, TIER, seconds)

    def tier_read(self, by: Process, key: str, value: Value) -> None:
        # Its TTL counts from when the look-up began, so that it is no later than in the tier.
        self._ages.came(value, TIER, by, 0.0)
        version = version_in(value.data.decode())
        self.removals.tier_read(TierRead(key, version, by, self._clock()))

    def handed(self, to: Process, asked: Endpoint, entries: Sequence[Handed]) -> None:
        versions = [version_in(entry.value.data.decode()) for entry in entries]
        keys = [entry.key for entry in entries]
        self._history.note(asked.name, "hands over", *keys, versions, "to", to.name)
        for key, version in zip(keys, versions, strict=True):
            handed = HandedOver(key, version, to, asked.process, self._clock())
            self.removals.handed(handed)

    def copied(self, process: Process, key: str, value: Value) -> None:
        self._history.note(process.name, "answers a copy of", key, version_in(value.data.decode()))
        now = self._clock()
        until = self._came.get((process, key, value.data), 0.0)
        if now > until + EPSILON:
            self.broke("a copy was answered after its time", key, process.name)
        self._check_age(key, value, now, process)

    def forwarded_again(self, by: Process, to: str, key: str) -> None:
        self.broke("a forwarded request was forwarded again", key, by.name, to)

    def crashed(self, where: str, error: BaseException) -> None:
        self.broke("a node raised what is no CacheError", "", where, repr(error))

    # What the source sees

    def load_began(self, load: Load) -> None:
        key = load.key
        self._history.note(load.process.name, "loads", key, f"load-{load.number}", load.call)
        at = self._endpoints()[load.process.name].participant.peers
        if at.owner(key) == load.process.name != at.ring.owner(key):
            self._history.count("load by who took over")
        self._loads.began(load)

    def load_ended(self, load: Load) -> None:
        what = load.words or (f"version {load.version}" if load.version else "cancelled")
        self._history.note(load.process.name, "loaded", load.key, f"load-{load.number}", what)
        self._loads.ended(load)
        if load.number % WEIGHED == 0:
            self.check_bytes(load.process.name)

    def check_bytes(self, node: str) -> None:
        """Check what a node holds against its budget."""
        endpoint = self._endpoints().get(node)
        if endpoint is None:
            return
        for name, group in endpoint.participant.groups.items():
            info = group.info()
            parts = info.stats.cache, info.stats.negatives, info.sharing.hot
            held, capacity = sum(p.bytes for p in parts), sum(p.capacity for p in parts)
            if held > self._settings.capacity or capacity > self._settings.capacity:
                self.broke("more bytes were held than the budget", "", node, name, held, capacity)
            if sum(info.stats.cache.removals.values()):
                self._history.counts["evicted, expired or removed"] = 1

    def _check_error(self, read: Read, error: CacheError) -> None:
        self._history.count(f"{type(error).__name__} raised")
        if isinstance(error, NotFound | RetrieverFailed) and not isinstance(error, Overloaded):
            said = type(error), error.message
            if not is_own_word(error) and all(
                (load.error, load.words) != said for load in self._source.loads
            ):
                self.broke("an error lost its kind or words", read.key, repr(error))
        if read.must_succeed and not isinstance(error, NotFound):
            self.broke("a get failed though nothing did", read.key, read.call, repr(error))

    def _check_version(self, read: Read, outcome: Value | NotFound) -> None:
        version = version_of(outcome)
        if isinstance(outcome, Value):
            # It was fresh when it was answered, which may have been at once.
            self._check_age(read.key, outcome, read.began, read.at)
        by = read.at if read.is_inside else None
        if outcome.node is not None:
            by = self._said[read.at, read.key, content_of(outcome), outcome.node]
        if by is not None:
            removal = self.removals.broken_by(read.key, version, read.began, by)
            self._history.counts["read excused"] = self.removals.excused
            if removal is not None:
                floor = removal.floors[read.key]
                self.broke("a removed value was read", read.key, version, "not", floor, by.name)

    def _check_age(self, key: str, value: Value, now: float, at: Process) -> None:
        excess = self._ages.excess(value, now, at)
        if excess > 0:
            version = version_in(value.data.decode())
            self.broke("a value was read past its TTL", key, version, value.answer, f"{excess:.3f}")

    def _check_lookups(self, read: Read, outcome: Outcome) -> None:
        """Check that a read whose outcome is the source's word asked the source once."""
        if not isinstance(outcome, NotFound | RetrieverFailed):
            return
        if self._steady_owner(read.key) is None:
            return
        loads = [load for load in self._source.loads if load.call == read.call]
        if len(loads) > 1:
            self.broke("one call was looked up more than once", read.key, read.call)

"""The rule of removal: what a read may return once a removal has returned.

A read that begins after a removal of its key has returned gives nothing older than the source had
when the removal began. What is excused, and nothing else:

- What a node answers that the removal named as not reached, in a read that began before that
  node was told. Nobody can make it forget what it has not heard of. Told is told: from then on
  its own entries are gone, and a restart is as good, for its memory is gone.
- What such a node answered to another before it was told, in a read that joined that fetch.
- What was on its way to such a node, which was frozen or cut off, when the read began.
- A copy that a node made of such an answer, for `hot_ttl` after it came: the copying node was told
  before, and has no reason to doubt its owner. As `hot_ttl` is all that copies live, this ends that
  long after the node that was not reached is told.
- A copy that a node named as not reached made before the removal returned, for `hot_ttl` too:
  it may have been told between the rounds, when it asked another that had not been.

A client's near copy is excused, for as long as a watcher may rely on a silent node, where the
removal named that watcher, or after the node that it watched was told, or ended: a node that is
back at once knows nothing of who watched it before.

Where a removal named the second tier as not reached, a node may have read there what it had, or
got it from another that had: until the node that owes the tier the removal has told it, and the
others are told of it again. Only versions that have come from the tier in that way are excused.

A node that was not reached, and has been restarted since, may have taken over what another that was
not reached held: nobody may be left who knows of the removal. Other entries that are handed from
node to node are not excused: they would live as long as the group's TTL.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple

from simulation.loop import Process

from cache_core.cluster.watchers import SILENCE_SECONDS

TIER: Final = "the tier of g"
"""What a removal names that did not reach the second tier."""


@dataclass(slots=True, eq=False)
class Removed:
    """A removal that has returned: `floors` are the versions there were when it began."""

    floors: Mapping[str, int]
    began: float
    ended: float = inf
    unreached: frozenset[str] = frozenset()


@dataclass(slots=True)
class Fetch:
    """A version that `to` got from another node at `came`; work on it there began at `since`.

    `kept` where it may have become a copy.
    """

    version: int
    to: Process
    asked: Process
    since: float
    came: float
    kept: bool


class HandedOver(NamedTuple):
    """A version of a key that `to` took over from `giver`, which had read it at `when`."""

    key: str
    version: int
    to: Process
    giver: Process
    when: float


class TierRead(NamedTuple):
    """A version of a key that `by` read in the second tier at `when`."""

    key: str
    version: int
    by: Process
    when: float


@dataclass(slots=True)
class RemovalRule:
    """Every removal, and who was told of what, when."""

    hot_ttl: float
    by_key: defaultdict[str, list[Removed]] = field(default_factory=lambda: defaultdict(list))
    excused: int = 0
    _told: defaultdict[tuple[Process, str | None], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _led: defaultdict[tuple[Process, str | None], list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _told_copies: defaultdict[tuple[Process, str | None], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _fetches: defaultdict[str, list[Fetch]] = field(default_factory=lambda: defaultdict(list))
    _handed: list[HandedOver] = field(default_factory=list)
    _tier_reads: dict[tuple[Process, str, int], float] = field(default_factory=dict)
    _taken: list[tuple[float, str | None]] = field(default_factory=list)

    def returned(self, removal: Removed) -> None:
        """Hold reads to `removal` from now on."""
        for key in removal.floors:
            self.by_key[key].append(removal)

    def tell(self, process: Process, key: str | None, now: float) -> None:
        """Note that a node removes `key`, or everything."""
        self._told[process, key].append(now)
        self._told_copies[process, key].append(now)

    def leads(self, process: Process, key: str | None, now: float) -> None:
        """Note that a node begins to remove `key` everywhere: its copies of before are gone."""
        self._told_copies[process, key].append(now)

    def led(self, process: Process, key: str | None, began: float, now: float) -> None:
        """Note that a node has removed `key` everywhere, and its own entry at some moment of it."""
        self._led[process, key].append((began, now))

    def tier_took(self, process: Process, key: str | None, now: float) -> None:
        """Note that the tier took a removal that `process` had owed it, and removed anew itself."""
        self._taken.append((now, key))
        self.tell(process, key, now)

    def handed(self, handed: HandedOver) -> None:
        """Note that a node gave another an entry."""
        self._handed.append(handed)
        self._spread(handed.key, handed.version, handed.giver, handed.to)

    def tier_read(self, read: TierRead) -> None:
        """Note that a node read a version in the tier."""
        self._tier_reads[read.by, read.key, read.version] = read.when

    def _spread(self, key: str, version: int, giver: Process, to: Process) -> None:
        """Note that `to` has a version from `giver`, who may have it from the tier."""
        when = self._tier_reads.get((giver, key, version), 0.0)
        if when > self._tier_reads.get((to, key, version), 0.0):
            self._tier_reads[to, key, version] = when

    def fetched(self, key: str, fetch: Fetch) -> None:
        """Note that a node got a version from another."""
        self._fetches[key].append(fetch)
        self._spread(key, fetch.version, fetch.asked, fetch.to)

    def broken_by(self, key: str, version: int, began: float, by: Process) -> Removed | None:
        """Return the removal that forbids `version` in a read answered by `by`, if any."""
        for removal in self.by_key[key]:
            if removal.ended <= began and version < removal.floors[key]:
                if not self._is_excused(removal, key, version, began, by):
                    return removal
                self.excused += 1
        return None

    def broken_by_copy(
        self, key: str, version: int, began: float, holder: Process
    ) -> Removed | None:
        """Return the removal that forbids `version` in a read of a copy at `holder`, if any."""
        for removal in self.by_key[key]:
            if removal.ended <= began and version < removal.floors[key]:
                if not self._is_excused_copy(removal, key, version, began, holder):
                    return removal
                self.excused += 1
        return None

    def _is_excused_copy(
        self, removal: Removed, key: str, version: int, began: float, holder: Process
    ) -> bool:
        since = began - SILENCE_SECONDS
        if f"watcher {holder.name}" in removal.unreached and removal.ended > since:
            return True
        return any(
            fetch.asked.gone > since
            if fetch.asked.gone < began
            else self._is_untold(removal, fetch.asked, key, version, since)
            for fetch in self._fetches[key]
            if fetch.version == version and fetch.to is holder
        )

    def _is_excused(
        self, removal: Removed, key: str, version: int, began: float, by: Process
    ) -> bool:
        if self._is_untold(removal, by, key, version, began):
            return True
        if by.name in removal.unreached and self._took_over(removal, key, version, began, by):
            return True
        return any(
            fetch.version == version and self._explains(fetch, removal, key, began, by)
            for fetch in self._fetches[key]
        )

    def _took_over(
        self, removal: Removed, key: str, version: int, began: float, by: Process
    ) -> bool:
        return any(
            handed.key == key
            and handed.version == version
            and handed.to is by
            and self._is_untold(removal, handed.giver, key, version, handed.when)
            and not self._has_removed(by, key, handed.when, began)
            for handed in self._handed
        )

    def _explains(
        self, fetch: Fetch, removal: Removed, key: str, began: float, by: Process
    ) -> bool:
        is_copy = (
            fetch.kept
            and fetch.to is by
            and fetch.came >= began - self.hot_ttl
            and not _is_told(self._told_copies, by, key, fetch.came, began)
        )
        if is_copy and by.name in removal.unreached and fetch.came <= removal.ended:
            return True
        version = fetch.version
        is_on_its_way = fetch.asked is by and fetch.since <= began <= fetch.came
        if is_on_its_way and self._is_untold(removal, fetch.to, key, version, began):
            return True
        return (is_copy or is_on_its_way) and self._is_untold(
            removal, fetch.asked, key, version, fetch.since
        )

    def _is_untold(
        self, removal: Removed, process: Process, key: str, version: int, moment: float
    ) -> bool:
        """Tell whether a node that was not reached had not been told by then either.

        Where the tier was not reached, no node was that read the version there, until it is told
        that the tier has been.
        """
        read = self._tier_reads.get((process, key, version), 0.0)
        if TIER in removal.unreached and read >= removal.began:
            taken = self._first_taken(removal, key)
            if taken is None or not self._has_removed(process, key, taken, moment):
                return True
        return (
            process.name in removal.unreached
            and process.born < removal.ended
            and not self._has_removed(process, key, removal.began, moment)
        )

    def _first_taken(self, removal: Removed, key: str) -> float | None:
        """Return when the tier took `removal`, or one after it."""
        for when, what in self._taken:
            if when >= removal.began and what in (key, None):
                return when
        return None

    def _has_removed(self, process: Process, key: str, since: float, until: float) -> bool:
        """Tell whether a node's own entry of before `since` is surely gone by `until`."""
        return _is_told(self._told, process, key, since, until) or any(
            since <= began and ended < until
            for what in (key, None)
            for began, ended in self._led[process, what]
        )


def _is_told(
    told: Mapping[tuple[Process, str | None], Sequence[float]],
    process: Process,
    key: str,
    since: float,
    until: float,
) -> bool:
    """Tell whether a node was told to remove `key`, or everything, from `since` until `until`."""
    for what in (key, None):
        times = told[process, what]
        first = bisect_left(times, since)
        if first < len(times) and times[first] < until:
            return True
    return False

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

Entries handed from node to node are not excused: they would live as long as the group's TTL.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from simulation.loop import Process

from cache_core.cluster.watchers import SILENCE_SECONDS


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


@dataclass(slots=True)
class RemovalRule:
    """Every removal, and who was told of what, when."""

    hot_ttl: float
    by_key: defaultdict[str, list[Removed]] = field(default_factory=lambda: defaultdict(list))
    excused: int = 0
    _told: defaultdict[tuple[Process, str | None], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _fetches: defaultdict[str, list[Fetch]] = field(default_factory=lambda: defaultdict(list))

    def returned(self, removal: Removed) -> None:
        """Hold reads to `removal` from now on."""
        for key in removal.floors:
            self.by_key[key].append(removal)

    def tell(self, process: Process, key: str | None, now: float) -> None:
        """Note that a node removes `key`, or everything."""
        self._told[process, key].append(now)

    def fetched(self, key: str, fetch: Fetch) -> None:
        """Note that a node got a version from another."""
        self._fetches[key].append(fetch)

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
            else self._is_untold(removal, fetch.asked, key, since)
            for fetch in self._fetches[key]
            if fetch.version == version and fetch.to is holder
        )

    def _is_excused(
        self, removal: Removed, key: str, version: int, began: float, by: Process
    ) -> bool:
        if self._is_untold(removal, by, key, began):
            return True
        return any(
            fetch.version == version and self._explains(fetch, removal, key, began, by)
            for fetch in self._fetches[key]
        )

    def _explains(
        self, fetch: Fetch, removal: Removed, key: str, began: float, by: Process
    ) -> bool:
        is_copy = fetch.kept and fetch.to is by and fetch.came >= began - self.hot_ttl
        if is_copy and by.name in removal.unreached and fetch.came <= removal.ended:
            return True
        is_on_its_way = fetch.asked is by and fetch.came >= began
        if is_on_its_way and self._is_untold(removal, fetch.to, key, began):
            return True
        return (is_copy or is_on_its_way) and self._is_untold(
            removal, fetch.asked, key, fetch.since
        )

    def _is_untold(self, removal: Removed, process: Process, key: str, moment: float) -> bool:
        """Tell whether a node that was not reached had not been told by then either."""
        return (
            process.name in removal.unreached
            and process.born < removal.ended
            and not any(
                removal.began <= told < moment
                for what in (key, None)
                for told in self._told[process, what][
                    bisect_left(self._told[process, what], removal.began) :
                ]
            )
        )

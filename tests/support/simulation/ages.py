"""The rule of age: for how long what a load found may be read.

It is fresh for the group's TTL from when the load began, because the source may have read it right
then. A value that is answered as stale may be as much older as its group allows for that kind of
answer, and no other is excused. Which load a value is of is told by its bytes: another load of the
same version excuses nothing.

What travels is the time that is left, so what came late is fresh for as much longer. How late is
noted for each load and each place that it came to, a node, a client or the second tier, and adds up
from place to place.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from simulation.source import Load, load_in

from cache_core import Answer, GroupSettings, Value

EPSILON: Final = 1e-6


@dataclass(slots=True)
class AgeRule:
    """Judges values by their group's `settings`; `loads` are the source's, by their numbers."""

    settings: GroupSettings
    loads: Sequence[Load]
    _late: dict[tuple[Hashable, int], float] = field(default_factory=dict)

    def came(self, value: Value, sender: Hashable, to: Hashable, seconds: float) -> None:
        """Note that `value` came `seconds` after `sender` had told how long it stays fresh."""
        number = load_in(value)
        late = seconds + self._late.get((sender, number), 0.0)
        if late > self._late.get((to, number), 0.0):
            self._late[to, number] = late

    def excess(self, value: Value, now: float, at: Hashable) -> float:
        """Return by how many seconds `value` is too old for a read at `now`, at that place.

        Not above 0 where it is not. A read that began before the load ended has its outcome,
        however long that took.
        """
        if self.settings.ttl is None:
            return 0.0
        number = load_in(value)
        load = self.loads[number - 1]
        now -= self._late.get((at, number), 0.0) + EPSILON
        if load.ended is None or now <= load.ended:
            return 0.0
        return now - load.began - self.settings.ttl - self._allowed(value.answer)

    def _allowed(self, answer: Answer) -> float:
        if answer is Answer.STALE:
            return self.settings.stale_while_revalidate
        return self.settings.stale_if_error if answer is Answer.STALE_ERROR else 0.0

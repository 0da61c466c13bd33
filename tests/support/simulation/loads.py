"""The rule of loads: while all agree on a key's owner, that node alone loads it, once at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from simulation.history import History
from simulation.loop import Process
from simulation.source import Load

from cache_core.messages import Removal

LOOKING: Final = 1.0
"""Seconds that a look into the second tier takes at the most."""


class LoadRule:
    """Every load that runs, and whether a removal has fenced it since: another may run beside it.

    `steady_owner` and `broke` are as in Rules.
    """

    def __init__(
        self,
        history: History,
        steady_owner: Callable[[str], str | None],
        broke: Callable[..., None],
        *,
        has_tier: bool,
    ) -> None:
        self._history = history
        self._steady_owner = steady_owner
        self._broke = broke
        self._has_tier = has_tier
        self._running: dict[str, list[tuple[Load, bool]]] = {}
        self._removing: list[Removal] = []
        self._fenced: dict[tuple[Process, str | None], float] = {}

    def runs(self, key: str) -> bool:
        """Tell whether a load of `key` runs."""
        return bool(self._running.get(key))

    def fence(self, process: Process, item: Removal, now: float) -> None:
        """Note that a node removes `item`."""
        self._fenced[process, item.key] = now
        for key, loads in self._running.items():
            if item.key in (None, key):
                self._running[key] = [
                    (load, fenced or load.process is process) for load, fenced in loads
                ]

    @contextmanager
    def removing(self, item: Removal) -> Iterator[None]:
        """Note that in the body some node removes `item` everywhere."""
        self._removing.append(item)
        try:
            yield
        finally:
            self._removing.remove(item)

    def began(self, load: Load) -> None:
        """Judge a load that begins."""
        key, owner = load.key, self._steady_owner(load.key)
        running = self._running.setdefault(key, [])
        if owner is not None:
            self._history.count("load while steady")
            if load.process.name != owner:
                self._broke("a key was loaded beside its owner", key, owner, load.process.name)
            others = [o for o, fenced in running if not fenced and o.process.is_alive]
            if others and not self._was_fenced_looking(load):
                self._broke("a key was loaded twice at a time", key, *(o.number for o in others))
        # One that begins between the rounds of a removal is fenced by the second.
        running.append((load, any(item.key in (None, key) for item in self._removing)))

    def ended(self, load: Load) -> None:
        """Note that a load has ended."""
        self._running[load.key] = [o for o in self._running[load.key] if o[0] is not load]

    def _was_fenced_looking(self, load: Load) -> bool:
        """Tell whether `load` may have been fenced while it looked in the tier, before it began."""
        times = [self._fenced.get((load.process, key), 0.0) for key in (load.key, None)]
        return self._has_tier and max(times) > load.began - LOOKING

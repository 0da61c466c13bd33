"""The counts of a group's events, kept by a hook."""

from cache_core.errors import Overloaded
from cache_core.events import Event, LoadFailed, LoadStarted, Miss, StaleHit
from cache_core.value import Answer


class Counters:
    """A hook that counts a group's events, except hits: Cache counts those, see Cache.get."""

    def __init__(self) -> None:
        self.stale_hits = 0
        self.stale_errors = 0
        self.misses = 0
        self.loads = 0
        self.load_errors = 0
        self.overloads = 0

    def __call__(self, event: Event) -> None:
        """Count `event`."""
        match event:
            case StaleHit():
                self.stale_hits += 1
                self.stale_errors += event.answer is Answer.STALE_ERROR
            case Miss():
                self.misses += 1
            case LoadStarted():
                self.loads += 1
            case LoadFailed(error=Overloaded()):
                self.overloads += 1
            case LoadFailed():
                self.load_errors += 1

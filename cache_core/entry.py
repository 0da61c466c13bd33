"""A stored value with its local times."""

from math import inf
from typing import NamedTuple

from cache_core.value import NO_TERMS, Answer, Terms, Value


class Entry(NamedTuple):
    """What is held for a key: fresh until `soft`, of any use until `hard`.

    Times are of the group's clock, in seconds, infinite where there is no expiry; `loaded` is
    when the value was as new as its source.
    """

    data: bytes
    loaded: float
    soft: float
    hard: float

    def value(self, now: float, answer: Answer, terms: Terms = NO_TERMS) -> Value:
        """Return what a get at `now` is answered with, in what is left of the times."""
        ttl = None if self.soft == inf else self.soft - now
        return Value(self.data, ttl, now - self.loaded, answer, None, terms)

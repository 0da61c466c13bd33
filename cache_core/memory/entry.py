"""A stored value with its local times. Knows no clock."""

from math import inf
from typing import NamedTuple

from cache_core.value import NO_LABEL, NO_TERMS, Answer, Label, Terms, Value


class Entry(NamedTuple):
    """A value held for a key: fresh until `soft`, and of some use until `hard`.

    Times are of the group's clock, in seconds, infinite where there is no expiry; `loaded` is
    when the value was as new as its source.
    """

    data: bytes
    loaded: float
    soft: float
    hard: float
    label: Label = NO_LABEL

    def value(self, now: float, answer: Answer, terms: Terms = NO_TERMS) -> Value:
        """Return the Value for a get at `now`, with the time that is left of its TTL.

        `terms` are the group's; where they have no media type, it is the label's.
        """
        ttl = None if self.soft == inf else self.soft - now
        content_type, version = self.label
        if content_type and not terms.content_type:
            terms = terms._replace(content_type=content_type)
        return Value(self.data, ttl, now - self.loaded, answer, None, terms, version=version)

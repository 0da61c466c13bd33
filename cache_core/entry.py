"""A stored value with its local times."""

from typing import NamedTuple


class Entry(NamedTuple):
    """What is held for a key: fresh until `soft`, of any use until `hard`.

    Times are of the group's clock, in seconds, infinite where there is no expiry; `loaded` is
    when the value was as new as its source.
    """

    data: bytes
    loaded: float
    soft: float
    hard: float

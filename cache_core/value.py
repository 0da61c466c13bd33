"""What a get returns and what travels between nodes."""

from enum import StrEnum
from typing import NamedTuple


class Answer(StrEnum):
    """How a get was answered."""

    HIT = "hit"
    """From memory."""
    MISS = "miss"
    """Loaded for this get."""
    COLLAPSED = "collapsed"
    """Loaded for another get that was under way."""
    STALE = "stale"
    """From memory, past its TTL, while a refresh runs behind."""
    STALE_ERROR = "stale-error"
    """From memory, past its TTL, since the source fails."""


class Value(NamedTuple):
    """A key's bytes, immutable; empty bytes are a value like any other.

    `ttl` is the seconds for which they stay fresh, None without end, below zero where they are
    stale; `age` the seconds since they were as new as their source; `node` the address of the
    node that answered, where they came over the wire.
    """

    data: bytes
    ttl: float | None = None
    age: float = 0.0
    answer: Answer = Answer.MISS
    node: str | None = None

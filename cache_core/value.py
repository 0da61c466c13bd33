"""The value that a get returns, and the words for a get and its answer.

Knows no wire and no clock: all times are durations in seconds.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from cache_core.errors import CacheError


class Answer(StrEnum):
    """How a get was answered."""

    HIT = "hit"
    """From memory."""
    MISS = "miss"
    """Loaded for this get."""
    COLLAPSED = "collapsed"
    """Loaded for another get that was under way."""
    STALE = "stale"
    """From memory, past its TTL, within its stale_while_revalidate.

    A refresh runs behind, unless one failed lately or the get's demand was CACHED.
    """
    STALE_ERROR = "stale-error"
    """From memory, past its TTL, because the source fails."""
    RELOAD = "reload"
    """Loaded though a value was held, because the get's demand was NEW."""


class Demand(StrEnum):
    """A get's wish for where its answer comes from."""

    ANY = "any"
    """From memory where that will do, else from a load."""
    CACHED = "cached"
    """From memory alone, a stale value within its stale_while_revalidate included.

    Nothing is loaded or refreshed; where no such value is held, NotCached is raised.
    """
    NEW = "new"
    """From a load at the key's owner that ends after the get began.

    Gets that ask for the same key meanwhile share the load. Where the group's client_reload does
    not allow it, NEW is as ANY.
    """


class Terms(NamedTuple):
    """A group's words on all its values.

    A value may be answered for `stale_while_revalidate` seconds past its TTL while it is loaded
    anew, and for `stale_if_error` seconds where that load fails. `content_type` is the media type
    of the bytes, empty where the group declares none.
    """

    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0
    content_type: str = ""


NO_TERMS: Final = Terms()


class Label(NamedTuple):
    """A source's own words on one key's bytes, each empty where the source says nothing.

    `content_type` is their media type. `version` is the source's name for them, such as an ETag, by
    which the source is asked later.
    """

    content_type: str = ""
    version: str = ""


NO_LABEL: Final = Label()


class Value(NamedTuple):
    """A key's bytes, `data`, and what is known of them; empty bytes are a value like any other.

    `data` is immutable. `ttl` is the seconds for which it stays fresh: None without end, below zero
    where it is stale. `age` is the seconds since it was as new as its source. `answer` says how the
    get was answered. `node` is the address of the node that answered, None where the
    answer did not come over the wire.

    `terms` are the group's at the node that answered, over the wire as in process; their media type
    is the source's where the group declares none. They are NO_TERMS where a server tells none.

    `stored` tells that the value was loaded for this answer and is held where it was loaded; of an
    answer from memory it says nothing. `version` is the source's name for the bytes (an ETag),
    empty where it has none; between nodes it travels only with entries that are handed over.
    `copied` tells that the node that was asked had the value from another node, lately or for this
    answer, so that no copy should be made of it.
    """

    data: bytes
    ttl: float | None = None
    age: float = 0.0
    answer: Answer = Answer.MISS
    node: str | None = None
    terms: Terms = NO_TERMS
    stored: bool = False
    version: str = ""
    copied: bool = False


def own_label(value: Value, terms: Terms) -> Label:
    """Return the label of `value`: its source's words, as far as `terms` don't say them.

    `terms` are its group's. A media type that the group declares holds for all values, so the
    label then has none.
    """
    content_type = "" if terms.content_type else value.terms.content_type
    return Label(content_type, value.version) if content_type or value.version else NO_LABEL


def left_of(ttl: float, value: Value) -> float:
    """Return the seconds that a TTL of `ttl` leaves `value` at its age, and its own TTL if shorter.

    Below zero, it is over.
    """
    left = ttl - value.age
    return left if value.ttl is None else min(left, value.ttl)


Outcome: TypeAlias = Value | CacheError
"""The outcome of a get: the value, or the error that it ended in."""

Then: TypeAlias = Callable[[Outcome], None]
"""A function that takes an outcome as soon as it is known. It raises nothing.

It is called in the turn of the event loop that brought the outcome.
"""

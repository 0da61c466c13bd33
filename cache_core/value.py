"""What a get returns and what travels between nodes."""

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
    """From memory, past its TTL, while a refresh runs behind."""
    STALE_ERROR = "stale-error"
    """From memory, past its TTL, since the source fails."""
    RELOAD = "reload"
    """Loaded for this get, which asked for that, though something was held."""


class Demand(StrEnum):
    """What a get may be answered from."""

    ANY = "any"
    """From memory where that will do, else from a load."""
    CACHED = "cached"
    """From memory alone, a stale value within its stale_while_revalidate included: nothing is
    loaded or refreshed, and who holds nothing raises NotCached."""
    NEW = "new"
    """From a load at the owner that ends after the get began, one however many ask, where the
    group allows it by client_reload; else as ANY."""


class Terms(NamedTuple):
    """What a group says of all its values.

    For how many seconds past its TTL a value may be answered while it is loaded anew, and for how
    many where that fails; and the media type of its bytes, empty where the group declares none.
    """

    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0
    content_type: str = ""


NO_TERMS: Final = Terms()


class Label(NamedTuple):
    """What a source says of one key's bytes, each empty where it says nothing.

    Their media type, and `version`: what it calls them, such as an ETag, to be asked by later.
    """

    content_type: str = ""
    version: str = ""


NO_LABEL: Final = Label()


class Value(NamedTuple):
    """A key's bytes, immutable; empty bytes are a value like any other.

    `ttl` is the seconds for which they stay fresh, None without end, below zero where they are
    stale; `age` the seconds since they were as new as their source; `node` the address of the
    node that answered, where they came over the wire. `terms` are those of the group at whoever
    answered, over the wire as in process, the media type being the source's where the group
    declares none; NO_TERMS from a server that tells none. `stored` tells
    that what was loaded for this answer is held where it was loaded; of an answer from memory it
    says nothing. `version` is what its source calls these bytes (an ETag), empty where it has no
    name for them; it travels with entries that are handed over alone. `copied` tells that the node
    that was asked had it from another, lately or for this answer: no copy should be made of it.
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
    """Return what `value` says beyond `terms`, which its group says of all values.

    A media type that the group declares holds for all of them.
    """
    content_type = "" if terms.content_type else value.terms.content_type
    return Label(content_type, value.version) if content_type or value.version else NO_LABEL


Outcome: TypeAlias = Value | CacheError
"""What a get came to."""

Then: TypeAlias = Callable[[Outcome], None]
"""Called with an outcome as soon as it is known, in the turn that brought it; raises nothing."""

"""Records, for hooks, of what happens at nodes, in groups and among members.

The code that emits them never logs or counts by itself.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from cache_core.errors import CacheError
from cache_core.value import Answer


@dataclass(frozen=True, slots=True)
class Received:
    """A node was asked for a key over the wire."""

    group: str
    key: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A get was answered from memory with a fresh value."""

    group: str
    key: str


@dataclass(frozen=True, slots=True)
class StaleHit:
    """A get was answered from memory with a value past its TTL, STALE or STALE_ERROR."""

    group: str
    key: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Miss:
    """A get has to wait for a load: its own (MISS), or one that was under way (COLLAPSED)."""

    group: str
    key: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class LoadStarted:
    """The source is about to be asked for a key, for a miss or to refresh behind."""

    group: str
    key: str


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """A load ended in `error`: a RetrieverFailed, or an Overloaded before it asked the source."""

    group: str
    key: str
    error: CacheError


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """The cluster has other members than before; `ring` is its ring's version."""

    nodes: tuple[str, ...]
    ring: int


@dataclass(frozen=True, slots=True)
class MemberLeftOut:
    """A member does not answer, and is asked for nothing until it does; `words` say why.

    It is `alarming` if the member has answered before and has not said that it is leaving.
    """

    node: str
    words: str
    alarming: bool


@dataclass(frozen=True, slots=True)
class MemberBack:
    """A member that was left out, leaving or not ready serves."""

    node: str


Event: TypeAlias = (
    Received
    | Hit
    | StaleHit
    | Miss
    | LoadStarted
    | LoadFailed
    | MembersChanged
    | MemberLeftOut
    | MemberBack
)
Hook: TypeAlias = Callable[[Event], None]
"""A function that is told of each event at once, in the event loop.

It must return quickly and raise nothing.
"""


@runtime_checkable
class SelectiveHook(Protocol):
    """A Hook that has no use for some kinds of event.

    If Received and Hit are among them, these two are not made for it, which spares a node two
    records and two calls a hit.
    """

    @property
    def passes_over(self) -> Collection[type[Event]]:
        """The kinds of event that the hook has no use for.

        They are read when a node or a group takes the hook, and not with each event. The hook may
        be told of them all the same.
        """

    def __call__(self, event: Event) -> None:
        """Take note of `event`, as a Hook."""


def wants(hook: Hook | None, kind: type[Event]) -> bool:
    """Return whether there is a `hook`, and events of this `kind` have to be made for it."""
    return hook is not None and not (isinstance(hook, SelectiveHook) and kind in hook.passes_over)

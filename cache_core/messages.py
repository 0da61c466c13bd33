"""What the members of a cluster tell each other, as records. Knows no wire format."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

from cache_core.settings import GroupSettings
from cache_core.stats import CacheStats, GroupStats
from cache_core.value import Value

A = TypeVar("A")


class Message(Generic[A]):
    """Something to tell a node, which answers with an `A`."""

    __slots__ = ()


class Removal(NamedTuple):
    """A key that is removed, or the whole group where `key` is None."""

    group: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveEverywhere(Message[tuple[str, ...]]):
    """Remove this everywhere; the answer names the nodes and watchers that were not reached.

    `timeout` is the seconds that the receiver has for it, None without a deadline: what carries
    the message sets it there.
    """

    what: Removal
    timeout: float | None = None


class RemovedHere(NamedTuple):
    """A node's answer to a RemoveHere: the watchers not reached, and the nodes that it knows."""

    unreached: tuple[str, ...]
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveHere(Message[RemovedHere]):
    """Remove these from the node that is told.

    Watchers are told in the `last_round` alone. `unreached` are the nodes that the first round did
    not reach: whoever meets them tells them. `timeout` is as RemoveEverywhere's.
    """

    items: tuple[Removal, ...]
    last_round: bool
    unreached: tuple[str, ...] = ()
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What is removed; nothing where it only says that the watcher is covered.

    `watcher` and `sequence`, which counts up from 1, name it when it is acknowledged, and so are
    all before it. It was said `elapsed` seconds after the node began to tell the watcher; `silence`
    seconds later without another the watcher is not covered any more.
    """

    watcher: str
    sequence: int
    items: tuple[Removal, ...]
    silence: float
    elapsed: float


@dataclass(frozen=True, slots=True)
class Probed:
    """A node's answer to a Probe; `missed` is what the prober should have removed meanwhile.

    `have_missed` are nodes that have missed something too; `nodes` are those that it knows.
    """

    draining: bool
    ring: int
    missed: tuple[Removal, ...] = ()
    have_missed: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe(Message[Probed]):
    """Ask whether a node serves; `node` is who asks, None for a client.

    `missed` is what the asked node should have removed while it was not reached.
    """

    node: str | None
    ring: int
    missed: tuple[Removal, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeOver(Message[int]):
    """`node` is about to leave: ask it for what is yours then; the answer counts the entries."""

    node: str


class Handed(NamedTuple):
    """An entry that goes from one node to another."""

    group: str
    key: str
    value: Value


@dataclass(frozen=True, slots=True)
class HandOver(Message[tuple[Handed, ...]]):
    """Give the hottest entries that are `node`'s, the asker's, once it serves or you don't."""

    node: str


class Health(Enum):
    """What a node or client makes of a member."""

    UP = auto()
    LEFT_OUT = auto()
    """It did not answer; it is asked again from time to time."""
    DRAINING = auto()


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """A member as another sees it; `share` is the part of all keys that the ring gives it."""

    node: str
    weight: int
    health: Health
    share: float


@dataclass(frozen=True, slots=True)
class SharingStats:
    """What asking other nodes for keys came to, since the start.

    `fetches` are keys asked of their owners, `fetch_errors` those that no owner answered,
    `forwarded` the keys answered for other nodes.
    """

    hot_hits: int
    fetches: int
    fetch_errors: int
    forwarded: int
    hot: CacheStats


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """A group's settings and figures at one node."""

    settings: GroupSettings
    stats: GroupStats
    sharing: SharingStats


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A node as it sees itself and its cluster.

    `uptime` is in seconds; `ring_mismatches` counts calls by senders with another ring.
    """

    node: str
    draining: bool
    ring: int
    members: tuple[MemberInfo, ...]
    groups: Mapping[str, GroupInfo]
    uptime: float
    ring_mismatches: int
    watchers: int


@dataclass(frozen=True, slots=True)
class Describe(Message[NodeInfo]):
    """Ask a node for its groups, members and figures."""

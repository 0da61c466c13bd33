"""The messages to nodes and their answers, as records. Knows no wire format."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

from cache_core.settings import GroupSettings
from cache_core.stats import CacheStats, GroupStats
from cache_core.value import Value

A = TypeVar("A")


class Message(Generic[A]):
    """A message to a node, which answers it with an `A`."""

    __slots__ = ()


class Removal(NamedTuple):
    """A key that is removed, or the whole group where `key` is None."""

    group: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveEverywhere(Message[tuple[str, ...]]):
    """Remove `what` from every node; the answer names all that were not reached.

    These are nodes, watchers and the group's second tier. `timeout` is the seconds that the
    receiver has for the removal, None without a deadline. The sender leaves it out: the receiver
    sets it to the time that the call has left.
    """

    what: Removal
    timeout: float | None = None


class RemovedHere(NamedTuple):
    """A node's answer to a RemoveHere.

    `unreached` are its watchers that were not reached; `nodes` are the other nodes that it knows
    and has not left out.
    """

    unreached: tuple[str, ...]
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveHere(Message[RemovedHere]):
    """Remove `items` from the node that receives this, and from that node alone.

    The node tells its watchers in the `last_round` alone. `unreached` are the nodes that the first
    round did not reach: the receiver tells them once they answer. `timeout` is as in
    RemoveEverywhere.
    """

    items: tuple[Removal, ...]
    last_round: bool
    unreached: tuple[str, ...] = ()
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A node's message to a watcher: `items` are removed. Without any, it is just still covered.

    The watcher acknowledges a notice, and with it all notices before, by `watcher` and `sequence`.
    `watcher` is the node's name for it; `sequence` counts up from 1. The notice was made `elapsed`
    seconds after the node began to tell the watcher. If no other follows within `silence` seconds,
    the watcher is not covered any more.
    """

    watcher: str
    sequence: int
    items: tuple[Removal, ...]
    silence: float
    elapsed: float


@dataclass(frozen=True, slots=True)
class Probed:
    """A node's answer to a Probe; `missed` are the removals that the prober has missed.

    `draining` says that the node is leaving or not ready, `ring` is its ring's version.
    `have_missed` are all nodes that, as it knows, have missed a removal; `nodes` are the other
    nodes that it knows and has not left out.
    """

    draining: bool
    ring: int
    missed: tuple[Removal, ...] = ()
    have_missed: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe(Message[Probed]):
    """Ask whether a node serves; `node` is the node that asks, None for a client.

    `ring` is the asker's version of the ring. `missed` are the removals that the asked node has
    missed while it was not reached.
    """

    node: str | None
    ring: int
    missed: tuple[Removal, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeOver(Message[int]):
    """Tell a node that `node` is about to leave, and have it take entries over from `node`.

    The receiver takes the entries that it owns once `node` has left. The answer is their number.
    """

    node: str


class Handed(NamedTuple):
    """An entry that goes from one node to another.

    `group_ttl` is the group's TTL at the node that gives it: infinite without end, None where that
    node does not say.
    """

    group: str
    key: str
    value: Value
    group_ttl: float | None = None


@dataclass(frozen=True, slots=True)
class HandOver(Message[tuple[Handed, ...]]):
    """Ask a node for its hottest entries that `node`, the asker, is to own.

    The asker owns them once it serves, or once the node that is asked has left.
    """

    node: str


class Health(Enum):
    """A member's health, as a node or a client sees it."""

    UP = auto()
    LEFT_OUT = auto()
    """It did not answer; it is probed again from time to time."""
    DRAINING = auto()
    """It answers, but it is leaving or not ready."""


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """A member as a node sees it; `share` is the part of all keys that the ring gives it."""

    node: str
    weight: int
    health: Health
    share: float


@dataclass(frozen=True, slots=True)
class SharingStats:
    """A group's figures of calls between nodes, since the start.

    `hot_hits` counts the gets answered from the hot cache, `fetches` the keys asked of their
    owners. `fetch_errors` counts those of them that had to be loaded here because no owner could be
    reached, `forwarded` the keys that other nodes asked for. `hot` has the hot cache's figures.
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

"""What happens in a group, as records for hooks: the algorithm itself never logs or counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Received:
    """A node was asked for a key over the wire."""

    group: str
    key: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A get was answered from the cache."""

    group: str
    key: str


@dataclass(frozen=True, slots=True)
class LoadStarted:
    """The group's retriever is being asked for a key."""

    group: str
    key: str


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """The group's retriever raised `error`, or returned what is no value."""

    group: str
    key: str
    error: BaseException


Event: TypeAlias = Received | Hit | LoadStarted | LoadFailed
Hook: TypeAlias = Callable[[Event], None]
"""Told of each event, in the event loop, at once; it must return quickly and not raise."""

"""The second tier: nodes look there before they ask the source, and write there after.

Knows no wire and no store.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from cache_core.value import Value


class TierUnavailable(Exception):
    """The tier can't be reached or can't answer now; only the group's figures tell of it."""


class Looked(NamedTuple):
    """What `look` found for a key: a value, or None where the tier has none, and a state.

    Of the value, which is fresh, only `data`, `ttl` (the seconds left), `age`, `version` and its
    terms' `content_type` count. `state` is a text of the tier's own, to be given back to `put`.
    """

    value: Value | None
    state: str


class Written(NamedTuple):
    """What `put` is to write for a key: a value as in Looked, and the `state` that `look` found."""

    value: Value
    state: str


class Tier(Protocol):
    """One group's part of a store that all nodes share.

    Every method but `aclose` raises TierUnavailable soon where the store is gone or slow: no call
    waits for longer than the tier's own timeout, and none waits while the store is known to be
    gone.
    """

    async def look(self, keys: Sequence[str]) -> Mapping[str, Looked]:
        """Return what the tier has for each of `keys`."""

    async def put(self, entries: Mapping[str, Written]) -> None:
        """Write each value for what is left of its TTL, unless its key was removed since its look.

        A value without a TTL stays until it is removed, or until the store needs the room.
        """

    async def remove(self, key: str | None) -> None:
        """Remove `key`, or with None all keys of the group.

        No later look returns a value that was put before, nor one that is put afterwards by a load
        whose look came before.
        """

    async def aclose(self) -> None:
        """Let go of the store."""

"""The second tier: where nodes look before the source, and write after it. Knows no wire."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from cache_core.value import Value


class TierUnavailable(Exception):
    """The tier can't be reached or can't answer now; only the group's figures tell of it."""


class Looked(NamedTuple):
    """What a look found: the value, None where there is none, and the tier's state of the key.

    Of the value, `data`, `ttl` (what is left), `age`, `version` and its terms' `content_type`
    count; it is fresh. `state` is the tier's own word, to be given back to `put`.
    """

    value: Value | None
    state: str


class Written(NamedTuple):
    """What to write: the value, as of Looked, and the `state` that was looked up before."""

    value: Value
    state: str


class Tier(Protocol):
    """One group's part of a store that all nodes share.

    Every method raises TierUnavailable soon where the store is gone or slow: no call waits for it
    for longer than the tier's own timeout, and while it is known to be gone none waits at all.
    """

    async def look(self, keys: Sequence[str]) -> Mapping[str, Looked]:
        """Return what the tier has for each of `keys`."""

    async def put(self, entries: Mapping[str, Written]) -> None:
        """Write each value for what is left of its TTL, unless its key was removed since its look.

        A value without a TTL is there until it is removed, or the store needs the room.
        """

    async def remove(self, key: str | None) -> None:
        """Remove `key`, or all of the group's: no look returns what was put before.

        Nor what a load that had looked before puts later.
        """

    async def aclose(self) -> None:
        """Let go of the store."""

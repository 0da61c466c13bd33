"""Commands to a store, the Protocol of a link to one, and its refusals."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

Word: TypeAlias = str | bytes | int


class Command(NamedTuple):
    """A command about one key, as the `words` that are sent: each is an argument, never parsed.

    `unseen` are the words to send instead where a script was named that the store hasn't seen.
    """

    key: str
    words: tuple[Word, ...]
    unseen: tuple[Word, ...] = ()


class StoreLink(Protocol):
    """Connections to one store."""

    async def ask(self, commands: Sequence[Command]) -> Sequence[Any]:
        """Return the answers in order, an exception of redis-py's for a command without one.

        Raises such an exception where no command was answered.
        """

    async def aclose(self) -> None:
        """Close the connections."""


class StoreRefuses(Exception):
    """The store lets its user do less than is needed."""


class StoreFull(Exception):
    """The store has no room, and evicts nothing for it."""

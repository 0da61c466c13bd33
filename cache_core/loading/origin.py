"""The source of a group: its retriever, asked by the methods that it has."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from cache_core.errors import RetrieverFailed
from cache_core.loading.retriever import (
    BatchRetriever,
    FunctionRetriever,
    Refresher,
    Retrieved,
    Retriever,
)
from cache_core.loading.tier_removals import TierRemovals
from cache_core.stats import TierStats
from cache_core.value import Value

Begin: TypeAlias = Callable[[], None]
"""A function to call when the source is about to be asked for a key."""

Many: TypeAlias = Mapping[str, Retrieved | RetrieverFailed]
"""What a source has for several keys, by key, as BatchRetriever.retrieve_many returns it."""


class Origin:
    """The source behind `retriever`, for one group.

    `takes_many` says whether it can be asked for many keys at once, `can_stop` whether a load that
    is cancelled ends: a function in a thread does not. Methods raise what the retriever raises.
    """

    removals: TierRemovals | None = None
    """The removals from the second tier, None where there is no tier."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self._batching = retriever if isinstance(retriever, BatchRetriever) else None
        self._refresher = retriever if isinstance(retriever, Refresher) else None
        self.takes_many: Final = self._batching is not None
        self.can_stop: Final = not isinstance(retriever, FunctionRetriever) or retriever.can_stop

    def can_refresh(self, held: Value | None) -> bool:
        """Tell whether the source can be asked if `held` is still right.

        It is then asked for that key alone.
        """
        return held is not None and bool(held.version) and self._refresher is not None

    async def load(self, key: str, begin: Begin) -> Retrieved:
        """Return the key's value, or None where the source has no such key."""
        begin()
        return await self._retriever.retrieve(key)

    async def reload(self, key: str, begin: Begin, held: Value | None) -> Retrieved:
        """Return the key's value anew; `held` is the group's value, None where it holds none."""
        begin()
        if held is not None and held.version and self._refresher is not None:
            return await self._refresher.refresh(key, held)
        return await self._retriever.retrieve(key)

    async def load_many(self, begins: Mapping[str, Begin]) -> Many:
        """Return each key's value; the source has no key that is left out."""
        return await self._retrieve_many(begins)

    async def reload_many(self, begins: Mapping[str, Begin]) -> Many:
        """Return each key's value anew; the source has no key that is left out."""
        return await self._retrieve_many(begins)

    def succeed(self, before: "Origin") -> None:
        """Take over the removals that `before`, which this one replaces, still owes."""
        if self.removals is not None and before.removals is not None:
            self.removals.succeed(before.removals)

    def tier_stats(self) -> TierStats | None:
        """Return the second tier's figures as they are now, None where there is no tier."""
        return None

    async def aclose(self) -> None:
        """Let go of the source."""
        await self._retriever.aclose()

    async def _retrieve_many(self, begins: Mapping[str, Begin]) -> Many:
        if self._batching is None:
            raise TypeError("the retriever is asked for one key at a time")
        for begin in begins.values():
            begin()
        return await self._batching.retrieve_many(list(begins))

"""A source behind a second tier: keys are looked up there first, and values written there after.

Knows no store and no kind of source.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from cache_core.errors import NotFound, RetrieverFailed
from cache_core.loading.origin import Begin, Many, Origin
from cache_core.loading.retriever import Retrieved, Retriever
from cache_core.loading.tier import Looked, Tier, TierUnavailable, Written
from cache_core.loading.tier_removals import TierRemovals
from cache_core.loading.validation import fault_of
from cache_core.stats import TierStats
from cache_core.value import Value, left_of

AskSource: TypeAlias = Callable[[Sequence[str]], Awaitable[Many]]


class TieredOrigin(Origin):
    """An Origin whose values are in `tier` too, for `ttl` seconds where the source names no TTL.

    Where the tier is gone, the source is asked and nothing is written. A key whose removal the tier
    is still owed is neither read nor written there. `clock` is in seconds.
    """

    def __init__(
        self,
        retriever: Retriever,
        tier: Tier,
        *,
        ttl: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(retriever)
        self.removals = self._removals = TierRemovals(tier)
        self._tier = tier
        self._ttl = ttl
        self._clock = clock
        self.counts = _Counts()

    async def load(self, key: str, begin: Begin) -> Retrieved:
        """Return the tier's value for `key`, else the source's."""

        async def ask(_: Sequence[str]) -> Many:
            return {key: await Origin.load(self, key, begin)}

        return _only(await self._through([key], ask))

    async def reload(self, key: str, begin: Begin, held: Value | None) -> Retrieved:
        """Return the source's value for `key`, whatever the tier has, and write it there."""

        async def ask(_: Sequence[str]) -> Many:
            return {key: await Origin.reload(self, key, begin, held)}

        return _only(await self._through([key], ask, anew=True))

    async def load_many(self, begins: Mapping[str, Begin]) -> Many:
        """Return the tier's value for each key, else the source's."""

        def ask(keys: Sequence[str]) -> Awaitable[Many]:
            return Origin.load_many(self, {key: begins[key] for key in keys})

        return await self._through(list(begins), ask)

    async def reload_many(self, begins: Mapping[str, Begin]) -> Many:
        """Return the source's value for each key, whatever the tier has, and write it there."""

        def ask(_: Sequence[str]) -> Awaitable[Many]:
            return Origin.reload_many(self, begins)

        return await self._through(list(begins), ask, anew=True)

    def succeed(self, before: Origin) -> None:
        """Take over as Origin does, and go on counting from the figures of `before`."""
        super().succeed(before)
        if isinstance(before, TieredOrigin):
            self.counts = before.counts

    async def aclose(self) -> None:
        """Let go of the tier and the source, of each even where the other fails."""
        try:
            await self._removals.aclose()
            await self._tier.aclose()
        finally:
            await super().aclose()

    def tier_stats(self) -> TierStats:
        """Return the second tier's figures as they are now."""
        counts = self.counts
        return TierStats(counts.hits, counts.misses, counts.errors, owed=len(self._removals.owed))

    async def _through(self, keys: Sequence[str], ask: AskSource, *, anew: bool = False) -> Many:
        looked = await self._look(keys)
        found: dict[str, Retrieved | RetrieverFailed] = {}
        if not anew:
            values = ((key, self._usable(at.value)) for key, at in looked.items())
            found = {key: value for key, value in values if value}
            self.counts.hits += len(found)
            self.counts.misses += len(looked) - len(found)
        missing = [key for key in keys if key not in found]
        if missing:
            began = self._clock()
            try:
                asked = await ask(missing)
            except NotFound:
                await self._forget(missing, looked)
                raise
            await self._forget([key for key in missing if asked.get(key) is None], looked)
            await self._put(asked, looked, self._clock() - began)
            found |= asked
        return found

    async def _look(self, keys: Sequence[str]) -> Mapping[str, Looked]:
        """Return what the tier has for `keys`, except those whose removal it is owed.

        Return nothing where the tier can't be reached.
        """
        wanted = [key for key in keys if not self._removals.holds(key)]
        try:
            looked = await self._tier.look(wanted) if wanted else {}
        except TierUnavailable:
            self.counts.errors += 1
            return {}
        # Asked again, because a removal may have come to be owed meanwhile.
        return {key: at for key, at in looked.items() if not self._removals.holds(key)}

    def _usable(self, value: Value | None) -> Value | None:
        """Return `value` with a TTL, or None where the tier's `value` is of no use.

        It was written without one where the group had none at the time.
        """
        if value is None or fault_of(value):
            return None
        if value.ttl is not None or self._ttl is None:
            return value
        left = left_of(self._ttl, value)
        return value._replace(ttl=left) if left > 0 else None

    async def _forget(self, keys: Sequence[str], looked: Mapping[str, Looked]) -> None:
        """Remove those of `keys` that the tier has, because the source lacks them by now."""
        held = [key for key in keys if key in looked and looked[key].value is not None]
        await asyncio.gather(*map(self._removals.remove, held))

    async def _put(self, asked: Many, looked: Mapping[str, Looked], elapsed: float) -> None:
        entries = {}
        for key, found in asked.items():
            value = Value(found) if isinstance(found, bytes) else found
            if key not in looked or self._removals.holds(key):
                continue
            if not isinstance(value, Value) or fault_of(value):  # else every node would read it
                continue
            ttl = self._ttl if value.ttl is None else value.ttl
            if ttl is not None and ttl <= elapsed:
                continue
            left = None if ttl is None else ttl - elapsed
            aged = value._replace(ttl=left, age=value.age + elapsed)
            entries[key] = Written(aged, looked[key].state)
        if not entries:
            return
        try:
            await self._tier.put(entries)
        except TierUnavailable:
            self.counts.errors += 1


class _Counts:
    """The counts of TierStats, handed on from an origin to the one that takes its place."""

    def __init__(self) -> None:
        self.hits = 0
        self.misses = 0
        self.errors = 0


def _only(found: Many) -> Retrieved:
    (value,) = found.values()
    if isinstance(value, RetrieverFailed):
        raise value
    return value

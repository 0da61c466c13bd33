"""A source behind a second tier: looked up there first, and written there after."""

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
from cache_core.value import Value

AskSource: TypeAlias = Callable[[Sequence[str]], Awaitable[Many]]


class TieredOrigin(Origin):
    """An Origin whose values are in `tier` too, for `ttl` seconds where the source says nothing.

    Where the tier is gone, the source is asked and nothing is written. What is to be removed from
    the tier and is not yet is neither read nor written there. `clock` is in seconds.
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
        """Return the source's value for `key`, without a look into the tier."""

        async def ask(_: Sequence[str]) -> Many:
            return {key: await Origin.reload(self, key, begin, held)}

        return _only(await self._through([key], ask, anew=True))

    async def load_many(self, begins: Mapping[str, Begin]) -> Many:
        """Return the tier's value for each key, else the source's."""

        def ask(keys: Sequence[str]) -> Awaitable[Many]:
            return Origin.load_many(self, {key: begins[key] for key in keys})

        return await self._through(list(begins), ask)

    async def reload_many(self, begins: Mapping[str, Begin]) -> Many:
        """Return the source's value for each key, without a look into the tier."""

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
        """Return the figures as they are now."""
        counts = self.counts
        return TierStats(counts.hits, counts.misses, counts.errors, owed=len(self._removals.owed))

    async def _through(self, keys: Sequence[str], ask: AskSource, *, anew: bool = False) -> Many:
        looked = await self._look(keys)
        found: dict[str, Retrieved | RetrieverFailed] = {}
        if not anew:
            values = ((key, at.value) for key, at in looked.items())
            found = {key: value for key, value in values if value and not fault_of(value)}
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
        """Return the tier's values that may be used; none where the tier can't be reached."""
        wanted = [key for key in keys if not self._removals.holds(key)]
        try:
            looked = await self._tier.look(wanted) if wanted else {}
        except TierUnavailable:
            self.counts.errors += 1
            return {}
        # What was removed meanwhile, which the tier has not heard of, is not.
        return {key: at for key, at in looked.items() if not self._removals.holds(key)}

    async def _forget(self, keys: Sequence[str], looked: Mapping[str, Looked]) -> None:
        """Remove `keys` from the tier, because the source has no such keys any more."""
        held = [key for key in keys if key in looked and looked[key].value is not None]
        await asyncio.gather(*map(self._removals.remove, held))

    async def _put(self, asked: Many, looked: Mapping[str, Looked], elapsed: float) -> None:
        entries = {}
        for key, found in asked.items():
            value = Value(found) if isinstance(found, bytes) else found
            if key not in looked or self._removals.holds(key):
                continue
            if not isinstance(value, Value) or fault_of(value):  # which every node would read
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
    """What TierStats counts, of an origin and of those that took its place."""

    def __init__(self) -> None:
        self.hits = 0
        self.misses = 0
        self.errors = 0


def _only(found: Many) -> Retrieved:
    (value,) = found.values()
    if isinstance(value, RetrieverFailed):
        raise value
    return value

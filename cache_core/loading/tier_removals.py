"""Removals from the second tier, and those that it still owes. Knows no nodes."""

import asyncio
import contextlib
import contextvars
from typing import TYPE_CHECKING, Final

from cache_core.loading.tier import Tier, TierUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

RETRY_SECONDS: Final = 0.5
"""How long a tier that did not take a removal is left alone."""

MOST_OWED: Final = 10_000
"""The most keys that are owed; past that, the whole group is to be removed instead."""


class TierRemovals:
    """Removals from `tier`; one that it can't take now is tried again until it is taken."""

    def __init__(self, tier: Tier) -> None:
        self._tier = tier
        self._owed: dict[str | None, int] = {}
        self._count = 0
        self._trying: asyncio.Task[None] | None = None
        self._is_closed = False
        self._successor: TierRemovals | None = None
        self.taken: Callable[[str | None], None] | None = None
        """Told of each key, None for all, once it has been removed later than asked for."""

    @property
    def owed(self) -> tuple[str | None, ...]:
        """The keys that the tier has still to be told of; None is all of them."""
        return tuple(self._owed)

    def holds(self, key: str) -> bool:
        """Return whether the tier has still to remove `key`: its value there is not to be read."""
        if self._successor is not None:
            return self._successor.holds(key)
        return key in self._owed or None in self._owed

    async def remove(self, key: str | None) -> bool:
        """Remove `key`, or all keys, from the tier; return whether it has been done.

        It is owed where the caller gives up first.
        """
        try:
            await self._tier.remove(key)
        except TierUnavailable:
            self.owe(key)
            return False
        except asyncio.CancelledError:
            self.owe(key)
            raise
        return True

    def owe(self, key: str | None) -> None:
        """Have `key`, or all keys, removed as soon as the tier takes it."""
        if self._successor is not None:
            self._successor.owe(key)
            return
        self._count += 1
        self._owed[key] = self._count
        if len(self._owed) > MOST_OWED:
            self._owed = {None: self._count}
        if not self._is_closed and (self._trying is None or self._trying.done()):
            # A context of its own, for it is no part of what its caller does.
            trying = self._try_again()
            self._trying = asyncio.create_task(trying, context=contextvars.Context())

    def succeed(self, before: "TierRemovals") -> None:
        """Owe all that `before`, which this one replaces, owes now or comes to owe."""
        for key in before.pass_on(self):
            self.owe(key)

    def pass_on(self, successor: "TierRemovals") -> tuple[str | None, ...]:
        """Return what is owed, which is `successor`'s now, and whatever would come to be owed."""
        owed, self._owed, self._successor = self.owed, {}, successor
        return owed

    async def aclose(self) -> None:
        """Try no more."""
        self._is_closed = True
        if self._trying is not None:
            self._trying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._trying

    async def _try_again(self) -> None:
        while self._owed:
            await asyncio.sleep(RETRY_SECONDS)
            for key, count in list(self._owed.items()):
                try:
                    await self._tier.remove(key)
                except TierUnavailable:
                    break
                if self._owed.get(key) == count:  # else it was owed once more meanwhile
                    del self._owed[key]
                    if self.taken is not None:
                        self.taken(key)

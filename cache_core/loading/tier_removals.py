"""Removals from the second tier, and those that it is still owed. Knows no nodes and no store."""

import asyncio
import contextlib
import contextvars
from typing import TYPE_CHECKING, Final

from cache_core.loading.tier import Tier, TierUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

RETRY_SECONDS: Final = 0.5
"""Seconds until the tier is told again of the removals that it has missed."""

MOST_OWED: Final = 10_000
"""The most keys that are owed; past that, the whole group is to be removed instead."""


class TierRemovals:
    """Removes keys from `tier`; a removal that it can't take now is owed, and tried until taken."""

    def __init__(self, tier: Tier) -> None:
        self._tier = tier
        self._owed: dict[str | None, int] = {}
        self._count = 0
        self._trying: asyncio.Task[None] | None = None
        self._is_closed = False
        self._successor: TierRemovals | None = None
        self.taken: Callable[[str | None], None] | None = None
        """Called with each key, None for all, whose removal was owed, once the tier has taken it.
        """

    @property
    def owed(self) -> tuple[str | None, ...]:
        """The keys whose removal the tier is still owed; None stands for all keys."""
        return tuple(self._owed)

    def holds(self, key: str) -> bool:
        """Return whether the tier has still to remove `key`: its value there is not to be read."""
        if self._successor is not None:
            return self._successor.holds(key)
        return key in self._owed or None in self._owed

    async def remove(self, key: str | None) -> bool:
        """Remove `key`, or with None all keys, from the tier; return whether that is done.

        The removal is owed where the tier can't take it now, or where the caller gives up first.
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
        """Owe the removal of `key`, or with None of all keys, until the tier takes it."""
        if self._successor is not None:
            self._successor.owe(key)
            return
        self._count += 1
        self._owed[key] = self._count
        if len(self._owed) > MOST_OWED:
            self._owed = {None: self._count}
        if not self._is_closed and (self._trying is None or self._trying.done()):
            # A context of its own, because it is no part of what its caller does.
            trying = self._try_again()
            self._trying = asyncio.create_task(trying, context=contextvars.Context())

    def succeed(self, before: "TierRemovals") -> None:
        """Owe all that `before`, which this one replaces, owes now or comes to owe."""
        for key in before.pass_on(self):
            self.owe(key)

    def pass_on(self, successor: "TierRemovals") -> tuple[str | None, ...]:
        """Return the removals owed so far, and owe none any more: `successor` owes later ones."""
        owed, self._owed, self._successor = self.owed, {}, successor
        return owed

    async def aclose(self) -> None:
        """Stop trying the removals that are owed."""
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

"""The nodes to ask for a key whose owner can't be reached, and how often. Knows no wire."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple, TypeAlias, TypeVar

from cache_core.client.retry_budget import RetryBudget
from cache_core.cluster.link import Link
from cache_core.cluster.peers import Peers
from cache_core.errors import DeadlineExceeded, PeerUnavailable

A = TypeVar("A")

ATTEMPTS: Final = 3
"""How many nodes a call asks at the most. Where there is only one, it is asked twice."""

AskLink: TypeAlias = Callable[[Link, float], Awaitable[A]]
"""A function that asks a node through its link, within so many seconds. Raises CacheError."""


class Failed(NamedTuple):
    """A key's owner among `peers` that could not be reached, and the error of the call to it."""

    peers: Peers
    owner: str
    error: PeerUnavailable


class Failover:
    """Asks nodes in the ring's order until one answers, within a budget of retries.

    Only PeerUnavailable moves on to the next node; every other error is the answer.
    """

    def __init__(self) -> None:
        self._budget = RetryBudget()

    def begin(self) -> None:
        """Count a call, of which the caller asks the first node itself."""
        self._budget.deposit()

    async def first(self, peers: Peers, key: str, ask: AskLink[A], deadline: float) -> A:
        """Return the answer of the first of the key's owners that can be reached.

        Raises CacheError.
        """
        self.begin()
        return await self._ask(peers, _attempts(peers.owners(key)), ask, deadline, None)

    async def others(self, failed: Failed, key: str, ask: AskLink[A], deadline: float) -> A:
        """Return the answer of the first other owner of the key that can be reached.

        Where there is no other, the one that `failed` is asked again. Raises CacheError.
        """
        peers, owner, error = failed
        rest = [name for name in islice(peers.owners(key), ATTEMPTS) if name != owner]
        return await self._ask(peers, rest[: ATTEMPTS - 1] or [owner], ask, deadline, error)

    async def _ask(
        self,
        peers: Peers,
        owners: Iterable[str],
        ask: AskLink[A],
        deadline: float,
        failed: PeerUnavailable | None,
    ) -> A:
        loop = asyncio.get_running_loop()
        for owner in owners:
            left = deadline - loop.time()
            if failed is not None and (left <= 0 or not self._budget.withdraw()):
                break
            try:
                return await ask(peers.link(owner), left)
            except PeerUnavailable as error:
                peers.failed(owner, error)
                failed = error
            except DeadlineExceeded:
                peers.suspect(owner)
                raise
        raise failed or PeerUnavailable("the cluster has no members")


def _attempts(owners: Iterator[str]) -> Iterator[str]:
    """Yield up to ATTEMPTS of `owners`; a single one twice, because it may be back at once."""
    first = next(owners, None)
    if first is None:
        return
    yield first
    others = list(islice(owners, ATTEMPTS - 1))
    yield from others or [first]

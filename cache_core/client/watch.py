"""A client's watch on one node, which covers the copies of that node's answers. Knows no wire.

A node says for how long it may be silent. The client counts that from when it asked for the watch,
the node from when it began to tell, which is later. So the node names a watcher that it can't reach
for as long as that watcher's copies hold.
"""

import asyncio
import contextlib
from typing import Final

from cache_core.client.near import NearCache, may_be_copied
from cache_core.client.near_copies import Coverage
from cache_core.cluster.peer import Peer, Watchable
from cache_core.errors import CacheError, NotFound, UnexpectedStatus
from cache_core.messages import Notice
from cache_core.value import Demand, Outcome, Then, Value

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
"""A node that can't be watched is tried again after the first pause, then after twice the pause."""

STRANGER_SECONDS: Final = 60.0
"""How long a node that knows no Watch call is left alone: it may be another program by then."""

UNIMPLEMENTED: Final = "UNIMPLEMENTED"


class Watch:
    """Watches `peer` from its first answer that may be copied, and has `near` keep copies.

    A stream that ends is begun again by the next such answer. Belongs to one event loop.
    """

    def __init__(self, peer: Watchable, near: NearCache) -> None:
        self._peer = peer
        self._near = near
        self._coverage: Coverage | None = None
        self._stream: asyncio.Task[None] | None = None
        self._acknowledging: asyncio.Task[None] | None = None
        self._unacknowledged: Notice | None = None
        self._watcher: str | None = None
        self._pause = FIRST_PAUSE
        self._not_before = 0.0
        self._closed = False

    def keeping(self, group: str, key: str, demand: Demand, then: Then) -> Then:
        """Return what to call in place of `then` with the outcome of an ask that leaves now.

        It offers the outcome to the near cache, and then calls `then`.
        """
        near = self._near
        coverage, mark = self._coverage, near.mark

        def keep(outcome: Outcome) -> None:
            if isinstance(outcome, Value):
                if coverage is not None:
                    replaces = demand is Demand.NEW
                    near.offer(group, key, outcome, coverage, mark, replaces=replaces)
                else:
                    if demand is Demand.NEW:
                        near.remove(group, key)  # it may hold an earlier answer of another node
                    if self._stream is None and may_be_copied(outcome):
                        self._begin()
            elif isinstance(outcome, NotFound):
                near.remove(group, key)
            then(outcome)

        return keep

    async def aclose(self) -> None:
        """Watch no more: no copy is covered any longer, and the node is told."""
        self._closed = True
        coverage, self._coverage = self._coverage, None
        if coverage is not None:
            self._near.end(coverage)
        if self._watcher is not None:
            with contextlib.suppress(CacheError):  # else the node names this watcher for a while
                await self._peer.leave(self._watcher)
        tasks = [task for task in (self._stream, self._acknowledging) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self) -> None:
        if not self._closed and self._near.clock() >= self._not_before:
            self._stream = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        """Go by the node's notices until it is silent or ends them; then nothing is covered."""
        near, pause = self._near, self._pause
        self._pause = min(2 * pause, LONGEST_PAUSE)
        try:
            began = near.clock()
            async with contextlib.aclosing(self._peer.watch()) as notices:
                async for notice in notices:
                    self._watcher = notice.watcher
                    # Never longer than the silence from now: two machines' clocks drift apart.
                    until = min(began + notice.elapsed, near.clock()) + notice.silence
                    if not self._is_covered(until):
                        break
                    self._take(notice)
        except UnexpectedStatus as error:
            if error.status == UNIMPLEMENTED:
                pause = STRANGER_SECONDS
        except CacheError:
            pass  # the node can't be reached: callers that ask it for keys hear why
        finally:
            coverage, self._coverage = self._coverage, None
            if coverage is not None:
                near.end(coverage)
                pause = FIRST_PAUSE
            self._not_before = near.clock() + pause
            self._stream = self._watcher = None

    def _is_covered(self, until: float) -> bool:
        """Cover copies `until` then; return False if that is past, or if the coverage was over.

        While the goodbye is under way, nothing is covered any more.
        """
        now = self._near.clock()
        if self._coverage is not None:
            return self._coverage.extend(until, now)
        if until <= now or self._closed:
            return False
        self._coverage = Coverage(until)
        self._pause = FIRST_PAUSE
        return True

    def _take(self, notice: Notice) -> None:
        """Remove the copies that `notice` names, and acknowledge it only then."""
        for item in notice.items:
            if item.key is None:
                self._near.flush(item.group)
            else:
                self._near.remove(item.group, item.key)
        self._near.sweep()
        if notice.items:
            self._unacknowledged = notice
            if self._acknowledging is None:
                self._acknowledging = asyncio.create_task(self._acknowledge())

    async def _acknowledge(self) -> None:
        """Acknowledge the last notice, and with it all before, until no new one has come."""
        try:
            while (notice := self._unacknowledged) is not None:
                self._unacknowledged = None
                await self._peer.acknowledge(notice.watcher, notice.sequence)
        except CacheError:
            if self._stream is not None:
                self._stream.cancel()  # the node, which has waited in vain, ends it too
        finally:
            self._acknowledging = None


def watch_for(near: NearCache | None, peer: Peer) -> Watch | None:
    """Return a watch that has `near` keep copies of the peer's answers.

    None where there is no near cache, or the peer can't be watched.
    """
    return Watch(peer, near) if near is not None and isinstance(peer, Watchable) else None

"""A link to a peer that a test answers for."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from task_peer import TaskPeer

from cache_core.cluster.link import Link
from cache_core.cluster.peer import Ask
from cache_core.messages import Message
from cache_core.value import Demand, Value

if TYPE_CHECKING:
    from cache_core.errors import PeerUnavailable


class FakePeer(TaskPeer):
    """A Peer that keeps what it is asked until the test answers."""

    def __init__(self) -> None:
        self.batches: list[list[Ask]] = []
        self.times: list[float] = []
        """When each call came, by the event loop's clock."""
        self.rings: list[int] = []
        self.timeouts: list[float] = []
        self.cancelled = 0
        self.running = 0
        self.closed: list[int] = []
        """How many calls were running each time that it was closed."""
        self.error: PeerUnavailable | None = None
        self.leave = asyncio.Event()
        self.arrived: asyncio.Queue[Sequence[Ask]] = asyncio.Queue()

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:
        self.batches.append(list(asks))
        self.times.append(asyncio.get_running_loop().time())
        self.rings.append(ring)
        self.arrived.put_nowait(asks)
        self.timeouts.append(timeout)
        self.running += 1
        try:
            await self.leave.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        if self.error is not None:
            raise self.error

    async def send(self, message: Message[object], *, timeout: float) -> object:
        raise NotImplementedError

    async def aclose(self) -> None:
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.closed.append(self.running)

    @property
    def keys(self) -> list[list[str]]:
        """The keys of each call."""
        return [[asked.key for asked in batch] for batch in self.batches]


def link_to(peer: FakePeer) -> Link:
    """Return a link to `peer`."""
    return Link("n", peer, lambda: 7)  # type: ignore[arg-type] # its send answers nothing


def ask(
    link: Link,
    key: str,
    timeout: float = 3600,
    *,
    group: str = "g",
    forwarded: bool = False,
    demand: Demand = Demand.ANY,
) -> asyncio.Task[Value]:
    """Ask for `key` in a task."""
    get = link.get(group, key, forwarded=forwarded, demand=demand, timeout=timeout)
    return asyncio.create_task(get)

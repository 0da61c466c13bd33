"""A limit on how much runs at a time, with a bounded queue. Knows nothing of what runs."""

import asyncio


class Full(Exception):
    """All places are taken and the queue is full."""


class CapacityLimiter:
    """Has `count` places, and lets up to `queue` callers wait for one, first come, first served.

    Belongs to one event loop.
    """

    def __init__(self, count: int, queue: int) -> None:
        self._free = count
        self._most_waiting = queue
        self._waiting: dict[asyncio.Future[bool], object] = {}

    @property
    def is_free(self) -> bool:
        """Whether a place can be had at once."""
        return self._free > 0

    async def take(self, ticket: object) -> bool:
        """Return True with a place, to be given back later, or False where `ticket` was hurried.

        Raises Full.
        """
        if self._free:
            self._free -= 1
            return True
        if len(self._waiting) >= self._most_waiting:
            raise Full
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = ticket
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.give_back()
            raise
        finally:
            self._waiting.pop(turn, None)

    def give_back(self) -> None:
        """Free a place: the first caller in the queue gets it, if there is one."""
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(True)
                return
        self._free += 1

    def hurry(self, ticket: object) -> None:
        """Let the callers that wait with `ticket` go on without a place."""
        for turn, waiting in self._waiting.items():
            if waiting == ticket and not turn.done():
                turn.set_result(False)

"""Much work that comes at once is begun in one turn of the event loop after the other."""

import asyncio
from collections import deque


class Pace:
    """Lets one through in a turn of the event loop, first come, first served, and all in the end.

    So what else there is to do has its part of the time. Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting = deque[asyncio.Future[None]]()
        self._is_taken = False

    async def turn(self) -> None:
        """Return at once where none was let through in this turn, else in one of the next."""
        if self._is_taken:
            turn: asyncio.Future[None] = self._loop.create_future()
            self._waiting.append(turn)
            await turn
        else:
            self._is_taken = True
            self._loop.call_soon(self._let_next)

    def _let_next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._loop.call_soon(self._let_next)
                return
        self._is_taken = False

"""A deadline that is moved often."""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `then` once its time has come, and has none until it is `set`.

    Moving it to later costs no timer: the one that runs looks once more when it rings. A timer for
    each request took a twentieth of a near copy's answer.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, then: Callable[[], object]) -> None:
        self._loop = loop
        self._then = then
        self._at: float | None = None
        self._rings_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def at(self) -> float | None:
        """When `then` is called, by the loop's clock."""
        return self._at

    def set(self, seconds: float) -> None:
        """Have `then` called in `seconds`, in place of any time before."""
        self._at = at = self._loop.time() + seconds
        if self._timer is None or at < self._rings_at:
            self._ring(at)

    def unset(self) -> None:
        """Have `then` not called."""
        self._at = None

    def end(self) -> None:
        """Stop the timer."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = at
        self._timer = self._loop.call_at(at, self._rung)

    def _rung(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._at > self._loop.time():
            self._ring(self._at)
        else:
            self._at = None
            self._then()

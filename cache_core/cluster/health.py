"""The health of one member, and the task that probes it off every request's path.

Knows no wire.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from cache_core.cluster.link import Link
from cache_core.errors import CacheError, DeadlineExceeded
from cache_core.messages import Health, Probed

PROBE_SECONDS: Final = 1.0
"""How often a member that serves is probed."""

SILENCE_SECONDS: Final = 2.0
"""How long a member may take to answer: a busy one may need more than one second."""

STALLED: Final = 1.5
"""A probe that took more than so many times SILENCE_SECONDS shows that the prober's own event loop
was held up (Dadgar, Phillips, Currey: Lifeguard, local health awareness for more accurate failure
detection, 2018)."""

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
"""A silent member is probed again after the first pause, then each time after twice the pause."""

Probing: TypeAlias = Callable[[Link], Awaitable[Probed]]


class HealthMonitor:
    """Keeps a member's health, UP until it is known otherwise; `changed` is told why it changed.

    `met` tells whether the member ever answered; `have_missed` are the nodes that, as it says, have
    missed a removal. It is probed by one call of `probe` at a time, which raises CacheError where
    there is no answer; `unanswered` is called after each such error. Asks that wait for a silent
    member are ended.
    """

    def __init__(
        self,
        link: Link,
        probe: Probing,
        *,
        changed: Callable[["HealthMonitor", str], None],
        unanswered: Callable[["HealthMonitor"], None],
        rng: random.Random,
    ) -> None:
        self.link = link
        self.health = Health.UP
        self.left_out_since = 0.0
        self.said_goodbye = False
        self.met = False
        self.have_missed: tuple[str, ...] = ()
        self.probed = asyncio.Event()
        self._probe = probe
        self._changed = changed
        self._unanswered = unanswered
        self._random = rng.random
        self._pause = 0.0
        self._next = 0.0
        self._again = False
        self._woken = asyncio.Event()
        self._task = asyncio.create_task(self._look_after())

    @property
    def name(self) -> str:
        """The member's address."""
        return self.link.name

    @property
    def may_come_back(self) -> bool:
        """Whether the member may come to serve: it is left out, or is not ready yet.

        A member that has said that it is leaving, and still answers, may not.
        """
        if self.health is Health.DRAINING:
            return not self.said_goodbye
        return self.health is Health.LEFT_OUT

    def fail(self, words: str) -> None:
        """Leave the member out because a call failed; it is probed again after a pause."""
        if self.health is not Health.LEFT_OUT:
            self._leave_out(words)
            self._woken.set()

    def suspect(self) -> None:
        """Probe the member now."""
        self._pause = 0.0
        self._next = 0.0
        self._woken.set()

    def look_again(self) -> None:
        """Probe the member now, once more if it is being probed; `probed` is unset until then."""
        self.probed.clear()
        self._again = True
        self.suspect()

    def drains(self) -> None:
        """Note that the member said that it is about to leave."""
        self.said_goodbye = True
        self._become(Health.DRAINING, "it is leaving")

    async def aclose(self) -> None:
        """Probe no more, and end the connection."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.link.aclose()

    async def _look_after(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._again = False
            began = loop.time()
            try:
                probed = await self._probe(self.link)
            except CacheError as error:
                if isinstance(error, DeadlineExceeded):
                    if loop.time() - began > STALLED * SILENCE_SECONDS:
                        continue  # it may have answered while this very process was held up
                    if self.link.heard > began:
                        continue  # it is busy: it answers others
                    # The connection has not ended, so nothing else ends the asks that wait.
                    self.link.fail(f"node {self.name} is left out: {error}")
                self._leave_out(str(error))
                self._unanswered(self)
            else:
                self._found(probed)
            if not self._again:
                self.probed.set()
                await self._wait()

    def _found(self, probed: Probed) -> None:
        health = Health.DRAINING if probed.draining else Health.UP
        self.met = True
        self.have_missed = probed.have_missed
        if health is self.health:
            self._pause = 0.0  # only at the second such answer, so that flapping takes longer
        self.said_goodbye &= probed.draining
        self._become(health, "it is leaving or not ready" if probed.draining else "it answers")
        self._wait_for(PROBE_SECONDS)

    def _leave_out(self, words: str) -> None:
        if self.health is not Health.LEFT_OUT:
            self.left_out_since = asyncio.get_running_loop().time()
        self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        self._become(Health.LEFT_OUT, words)
        self._wait_for(self._pause)

    def _become(self, health: Health, words: str) -> None:
        if health is not self.health:
            self.health = health
            self._changed(self, words)

    def _wait_for(self, seconds: float) -> None:
        spread = 0.8 + 0.4 * self._random()
        self._next = asyncio.get_running_loop().time() + spread * seconds

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < self._next:
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._next):
                    await self._woken.wait()

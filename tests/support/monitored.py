"""A HealthMonitor of one fake member, and what it tells."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from fake_members import FakeMembers

from cache_core.cluster.health import HealthMonitor
from cache_core.cluster.link import Link

if TYPE_CHECKING:
    from cache_core.messages import Health

N: Final = "n:1"
"""The member's name."""


class Midway(random.Random):
    """Chance that never strays from the middle."""

    def random(self) -> float:
        return 0.5


class Told:
    """What a monitor tells."""

    def __init__(self) -> None:
        self.changes: list[tuple[Health, str]] = []
        self.unanswered = 0

    def changed(self, monitor: HealthMonitor, words: str) -> None:
        self.changes.append((monitor.health, words))

    def missed(self, _: HealthMonitor) -> None:
        self.unanswered += 1


@asynccontextmanager
async def monitoring(
    members: FakeMembers, told: Told | None = None, rng: random.Random | None = None
) -> AsyncGenerator[HealthMonitor]:
    """Monitor the member N of `members`; ended at the end."""
    told = told or Told()
    monitor = HealthMonitor(
        Link(N, members.connect(N), lambda: 0),
        members.probe,
        changed=told.changed,
        unanswered=told.missed,
        rng=rng or Midway(),
    )
    try:
        yield monitor
    finally:
        await monitor.aclose()

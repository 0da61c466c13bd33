"""What a load generator saw, whichever it was."""

import resource
import subprocess
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from pinned import GENERATORS, on_cores

BUSY: Final = 0.95
"""From this share of its core on, the generator may be what is measured."""


class BadOutput(Exception):
    """A load generator failed, or said something else than results."""


@dataclass(frozen=True, slots=True)
class Load:
    """One run of a load generator: answers, how long it ran, and percentiles of latency in ms.

    `errors` counts by kind what went wrong; `busy` is the share of a core that the generator used.
    """

    requests: int
    seconds: float
    p50: float
    p99: float
    p999: float
    errors: dict[str, int]
    busy: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def run_generator(command: Sequence[str], cores: Collection[int] = GENERATORS) -> str:
    """Run a load generator on `cores`; return what it printed. Raises BadOutput."""
    done = subprocess.run(on_cores(cores, command), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BadOutput(f"{command[0]} ended with {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


class Busy:
    """How busy the processes keep a core that are started, and end, from now on."""

    def __init__(self) -> None:
        self._used = _children_cpu()
        self._began = time.perf_counter()

    @property
    def share(self) -> float:
        """The cores that they have used, on the mean."""
        return (_children_cpu() - self._used) / (time.perf_counter() - self._began)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

"""One measurement of a contender, with the CPU time that it took; and medians of several."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from load import BUSY, Load
from process_figures import cpu_of

MICRO: Final = 1e6


@dataclass(frozen=True, slots=True)
class Sample:
    """A run of the load generator, and the CPU time in microseconds a request of each part."""

    load: Load
    cpu: dict[str, float]

    @property
    def whole_cpu(self) -> float:
        """The CPU time a request of all parts."""
        return sum(self.cpu.values())


def sample(parts: Mapping[str, int], run: Callable[[], Load]) -> Sample:
    """Have `run` make its load on the processes `parts`, and count what they use for it."""
    before = cpu_of(parts)
    load = run()
    after = cpu_of(parts)
    requests = max(load.requests, 1)
    return Sample(load, {part: (after[part] - before[part]) / requests * MICRO for part in parts})


@dataclass(frozen=True, slots=True)
class Row:
    """The medians over all samples of one contender at one load; errors are all of them."""

    rate: float
    p50: float
    p99: float
    p999: float
    cpu: dict[str, float]
    errors: dict[str, int]
    generator_bound: bool


def row_of(samples: Sequence[Sample]) -> Row:
    """Return the medians of `samples`, at least one."""
    loads = [taken.load for taken in samples]
    kinds = {kind for load in loads for kind in load.errors}
    return Row(
        median(load.rate for load in loads),
        median(load.p50 for load in loads),
        median(load.p99 for load in loads),
        median(load.p999 for load in loads),
        {part: median(taken.cpu[part] for taken in samples) for part in samples[0].cpu},
        {kind: sum(load.errors.get(kind, 0) for load in loads) for kind in sorted(kinds)},
        median(load.busy for load in loads) >= BUSY,
    )

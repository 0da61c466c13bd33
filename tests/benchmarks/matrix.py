"""Which contender is measured at which load, how often; and the measuring. Prints nothing."""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from keyset import REQUESTS, SIZES, Cell, by_zipf, keys, target, write_targets
from load import Load
from rounds import turns
from sampling import Sample, sample
from stage import Server
from wrk import run_wrk

CONNECTIONS: Final = (1, 16, 64, 256)
HOT: Final = Cell(64, 100, zipf=False)
"""The load of the ratios."""
LONE: Final = Cell(1, 100, zipf=False)
ZIPF: Final = Cell(64, 100, zipf=True)
MORE_ROUNDS: Final = 2
"""How many more rounds the loads have that ratios are of."""

ROUNDS: Final = 3
Samples = Mapping[tuple[Cell, str], Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: loads, rounds, and the seconds of each measurement and of its warm-up."""

    cells: tuple[Cell, ...]
    rounds: int
    seconds: int
    warm_up: int

    def cells_of(self, turn: int) -> Sequence[Cell]:
        """Return the loads of a round, from 0; the last rounds are for the ratios alone."""
        return self.cells if turn < self.rounds else [c for c in self.cells if c in (HOT, LONE)]

    @property
    def all_rounds(self) -> int:
        """The rounds, those for the ratios included; a single round has no more."""
        return self.rounds + (MORE_ROUNDS if self.rounds > 1 else 0)

    def steps(self, contenders: int) -> int:
        """Return how many measurements that makes, the warm-ups aside."""
        return contenders * sum(len(self.cells_of(turn)) for turn in range(self.all_rounds))

    def minutes(self, contenders: int) -> float:
        """Return about how long the measuring takes."""
        pause = 0.15
        warm_ups = contenders * len(self.cells) * (self.warm_up + pause) if self.warm_up else 0
        return (self.steps(contenders) * (self.seconds + pause) + warm_ups) / 60


def plan(*, quick: bool, full: bool, rounds: int | None) -> Plan:
    """Return what is measured by default, in a quick run, or in a full one.

    Without `rounds` it is ROUNDS of them, in a quick run one.
    """
    if quick:
        return Plan((HOT, LONE, ZIPF), rounds or 1, 1, 0)
    rounds = rounds or ROUNDS
    if full:
        every = [
            Cell(c, size, zipf) for size in SIZES for zipf in (False, True) for c in CONNECTIONS
        ]
        return Plan(tuple(every), rounds, 2, 1)
    small = [Cell(c, 100, zipf) for zipf in (False, True) for c in CONNECTIONS]
    large = [Cell(64, size, zipf) for size in SIZES if size > 100 for zipf in (False, True)]
    return Plan((*small, *large), rounds, 2, 1)


def request_lists(sizes: Sequence[int], folder: Path, rng: random.Random) -> dict[int, Path]:
    """Write a list of requests by Zipf's law for each size; return the files."""
    return {
        size: write_targets(by_zipf(keys(size), REQUESTS, rng), folder / f"zipf-{size}.txt")
        for size in sizes
    }


def measure(
    servers: Mapping[str, Mapping[int, Server]],
    asked: Mapping[int, Path],
    planned: Plan,
    rng: random.Random,
    done: Callable[[Cell, str], None],
) -> Samples:
    """Measure all contenders at all loads, in turns; call `done` after each measurement."""
    samples: dict[tuple[Cell, str], list[Sample]] = defaultdict(list)

    def run(cell: Cell, server: Server, seconds: int) -> Load:
        url = f"http://127.0.0.1:{server.port}{target(keys(cell.size)[0])}"
        paths = asked[cell.size] if cell.zipf else None
        return run_wrk(url, connections=cell.connections, seconds=seconds, paths=paths)

    for turn in range(planned.all_rounds):
        for cell, name in turns(list(servers), planned.cells_of(turn), rng):
            server = servers[name][cell.size]
            if turn == 0 and planned.warm_up:
                run(cell, server, planned.warm_up)
            load = partial(run, cell, server, planned.seconds)
            taken = sample(server.parts, load)
            samples[cell, name].append(taken)
            done(cell, name)
    return samples

"""Taking turns: what is compared is measured close in time, in an order that chance makes."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

T = TypeVar("T")
C = TypeVar("C")


def turns(contenders: Sequence[T], cells: Sequence[C], rng: random.Random) -> Iterator[tuple[C, T]]:
    """Yield each contender in each cell once: the cells, and the contenders in each, shuffled."""
    for cell in rng.sample(cells, len(cells)):
        for contender in rng.sample(contenders, len(contenders)):
            yield cell, contender


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure over another's, one a round, and what its median may be.

    `by_cpu` is the same told by the CPU time of a request, which others on the machine sway less.
    """

    title: str
    rounds: list[float]
    least: float | None = None
    most: float | None = None
    unit: str = "x"
    by_cpu: list[float] = field(default_factory=list)

    @property
    def value(self) -> float:
        """The median over the rounds."""
        return median(self.rounds)

    @property
    def target(self) -> str:
        """The target in words, empty where there is none."""
        words = [f">= {self.least:g}{self.unit}"] if self.least is not None else []
        words += [f"<= {self.most:g}{self.unit}"] if self.most is not None else []
        return " and ".join(words)

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.least is None and self.most is None:
            return None
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)


def quotients(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return ours over theirs, round by round: what slows both in a round cancels out."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]

"""What a gateway counts by itself, at one worker or summed over several. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

REQUESTS: Final = "requests"
ANSWERED: Final = "answered"
CLASSES: Final = ("2xx", "3xx", "4xx", "5xx")

Table: TypeAlias = Mapping[str, Mapping[str, int]]
"""Numbers by name, and those by what they are of: a group, say."""

WorkerFigures: TypeAlias = Mapping[str, Table]
"""A worker's tables, by the names of their sources."""


class FiguresSource(Protocol):
    """Something that counts, or knows how much is held."""

    def __call__(self) -> Table:
        """Return the numbers as they are now, which add up over workers."""
        ...


@dataclass(frozen=True, slots=True)
class GatewayFigures:
    """The sums over a gateway's `workers`, but for those named in `no_answer`."""

    workers: int
    no_answer: tuple[str, ...]
    sums: WorkerFigures


def total(parts: Iterable[WorkerFigures]) -> WorkerFigures:
    """Return the sums of `parts`, not all of which need have the same names."""
    sums: dict[str, dict[str, dict[str, int]]] = {}
    for part in parts:
        for source, table in part.items():
            for subject, numbers in table.items():
                row = sums.setdefault(source, {}).setdefault(subject, {})
                for name, number in numbers.items():
                    row[name] = row.get(name, 0) + number
    return sums


def answered_in(figures: WorkerFigures) -> dict[str, int]:
    """Return how many requests were answered, by the class of the status; 0 where none were."""
    return {**dict.fromkeys(CLASSES, 0), **figures.get(REQUESTS, {}).get(ANSWERED, {})}

"""The figures that a gateway counts itself, at one worker or summed over several. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from pydantic import BaseModel, Field

from cache_core.client.near import NearStats

REQUESTS: Final = "requests"
ANSWERED: Final = "answered"
CLASSES: Final = ("2xx", "3xx", "4xx", "5xx")

FiguresTable: TypeAlias = Mapping[str, Mapping[str, int]]
"""The numbers of each subject, such as a group: by the subject's name, then by their own."""

WorkerFigures: TypeAlias = Mapping[str, FiguresTable]
"""A worker's tables, by the names of their sources."""


class FiguresSource(Protocol):
    """A part of a worker that counts, or knows how much is held."""

    def __call__(self) -> FiguresTable:
        """Return the numbers as they are now; they can be added up over workers."""
        ...


@dataclass(frozen=True, slots=True)
class GatewayFigures:
    """A gateway's figures: sums over its `workers`, without those named in `no_answer`."""

    workers: int
    no_answer: tuple[str, ...]
    sums: WorkerFigures


def total(parts: Iterable[WorkerFigures]) -> WorkerFigures:
    """Return the sums of `parts`; a name that a part lacks counts as 0 there."""
    sums: dict[str, dict[str, dict[str, int]]] = {}
    for part in parts:
        for source, table in part.items():
            for subject, numbers in table.items():
                row = sums.setdefault(source, {}).setdefault(subject, {})
                for name, number in numbers.items():
                    row[name] = row.get(name, 0) + number
    return sums


def answered_in(figures: WorkerFigures) -> dict[str, int]:
    """Return how many requests were answered, by the class of the status; each class is there."""
    return {**dict.fromkeys(CLASSES, 0), **figures.get(REQUESTS, {}).get(ANSWERED, {})}


NEAR: Final = "near"


class NearFigures(BaseModel):
    """The copies of a group's values that the gateway holds: nodes don't see who is answered so."""

    hits: int = Field(description="Gets answered from them.", examples=[0])
    entries: int = Field(description="How many there are.", examples=[1])
    bytes: int = Field(description="What they take.", examples=[262])


def near_source(stats: Callable[[], Mapping[str, NearStats]]) -> FiguresSource:
    """Return the source that makes tables of the figures of a near cache, which `stats` returns."""

    def source() -> FiguresTable:
        return {
            group: {"hits": of.hits, "entries": of.entries, "bytes": of.bytes}
            for group, of in stats().items()
        }

    return source


def near_in(figures: WorkerFigures) -> dict[str, NearFigures]:
    """Return each group's near figures among `figures`, by its name."""
    found = sorted(figures.get(NEAR, {}).items())
    return {group: NearFigures.model_validate(numbers) for group, numbers in found}

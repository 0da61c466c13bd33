"""What a gateway counts by itself, at one worker or summed over several. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from pydantic import BaseModel, Field

from cache_core.client.near import NearStats

REQUESTS: Final = "requests"
ANSWERED: Final = "answered"
CLASSES: Final = ("2xx", "3xx", "4xx", "5xx")

FiguresTable: TypeAlias = Mapping[str, Mapping[str, int]]
"""Numbers by name, and those by what they are of: a group, say."""

WorkerFigures: TypeAlias = Mapping[str, FiguresTable]
"""A worker's tables, by the names of their sources."""


class FiguresSource(Protocol):
    """Something that counts, or knows how much is held."""

    def __call__(self) -> FiguresTable:
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


NEAR: Final = "near"


class NearFigures(BaseModel):
    """The copies of a group's values that the gateway holds: nodes don't see who is answered so."""

    hits: int = Field(description="Gets answered from them.", examples=[0])
    entries: int = Field(description="How many there are.", examples=[1])
    bytes: int = Field(description="What they take.", examples=[262])


def near_source(stats: Callable[[], Mapping[str, NearStats]]) -> FiguresSource:
    """Return what tells the figures of a client's near cache as numbers that add up."""

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

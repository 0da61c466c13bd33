"""The figures of the gateway's near copies, by group, as its workers sum them."""

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import BaseModel, Field

from cache_core.near import NearStats
from gateway.worker_figures import FiguresSource, Table, WorkerFigures

SOURCE: Final = "near"


class NearFigures(BaseModel):
    """The copies of a group's values that the gateway holds: nodes don't see who is answered so."""

    hits: int = Field(description="Gets answered from them.", examples=[0])
    entries: int = Field(description="How many there are.", examples=[1])
    bytes: int = Field(description="What they take.", examples=[262])


def near_source(stats: Callable[[], Mapping[str, NearStats]]) -> FiguresSource:
    """Return what tells the figures of a client's near cache as numbers that add up."""

    def source() -> Table:
        return {
            group: {"hits": of.hits, "entries": of.entries, "bytes": of.bytes}
            for group, of in stats().items()
        }

    return source


def near_in(figures: WorkerFigures) -> dict[str, NearFigures]:
    """Return each group's near figures among `figures`, by its name."""
    found = sorted(figures.get(SOURCE, {}).items())
    return {group: NearFigures.model_validate(numbers) for group, numbers in found}

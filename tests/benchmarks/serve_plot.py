"""The serving benchmark as a picture: rates and latencies over connections, rates over sizes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gateways import CONTENDERS
from keyset import SIZES, Cell
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from sampling import Row

OURS: Final = ("near-on", "near-off", "near-off-grpcio", "no-fast-lane")
COLOURS: Final = (
    "#0b4f8a",
    "#1b8ac4",
    "#74b9de",
    "#9aa7b0",
    "#d1701f",
    "#c23b3b",
    "#5a9a4a",
    "0.4",
)

Sections = Mapping[Cell, Mapping[str, Row]]


def draw(file: Path, sections: Sections, about: str) -> None:
    """Draw rows by load and contender to a PNG or SVG file, by its suffix."""
    figure = Figure(figsize=(12, 8.5), layout="constrained")
    panels = figure.subplots(2, 2)
    _lines(panels[0][0], sections, lambda row: row.rate, zipf=False, title="requests/s, one key")
    _lines(panels[0][1], sections, lambda row: row.rate, zipf=True, title="requests/s, Zipf")
    _lines(panels[1][0], sections, lambda row: row.p99, zipf=False, title="p99 in ms, one key")
    _sizes(panels[1][1], sections)
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
    figure.supxlabel(about, fontsize=8)
    figure.savefig(file, dpi=150)


def _lines(
    panel: Axes, sections: Sections, value: Callable[[Row], float], *, zipf: bool, title: str
) -> None:
    cells = sorted(
        (cell for cell in sections if cell.zipf == zipf and cell.size == min(SIZES)),
        key=lambda cell: cell.connections,
    )
    for name, style in _styles().items():
        points = [
            (cell.connections, value(sections[cell][name]))
            for cell in cells
            if name in sections[cell]
        ]
        if points:
            panel.plot(*zip(*points, strict=True), label=CONTENDERS[name].title, **style)
    _dress(
        panel, f"{title}, {SIZES[min(SIZES)]}", "connections", [cell.connections for cell in cells]
    )


def _sizes(panel: Axes, sections: Sections) -> None:
    cells = sorted(
        (cell for cell in sections if not cell.zipf and cell.connections == 64),
        key=lambda cell: cell.size,
    )
    for name, style in _styles().items():
        points = [
            (cell.size, sections[cell][name].rate) for cell in cells if name in sections[cell]
        ]
        if points:
            panel.plot(*zip(*points, strict=True), **style)
    _dress(panel, "requests/s, one key, 64 connections", "value", [cell.size for cell in cells])
    panel.xaxis.set_major_formatter(FuncFormatter(lambda size, _: SIZES.get(round(size), "")))


def _dress(panel: Axes, title: str, along: str, ticks: list[int]) -> None:
    panel.set_title(title, fontsize=10)
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xticks(ticks)
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:g}"))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda figure, _: f"{figure:,g}"))
    panel.set_xlabel(along, fontsize=9)
    panel.grid(color="0.9")
    panel.spines[["top", "right"]].set_visible(False)


def _styles() -> dict[str, dict[str, Any]]:
    return {
        name: {
            "color": colour,
            "marker": "o",
            "markersize": 4,
            "linewidth": 2.2 if name in OURS else 1.4,
            "linestyle": "-" if name in OURS else "--",
        }
        for name, colour in zip(CONTENDERS, COLOURS, strict=True)
    }

"""Hit ratios over cache sizes as a picture: one panel a trace. Needs matplotlib."""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from replay import Row

COLUMNS = 3
BEST = "0.55"
COLOURS = {"s3fifo": "#1b6ca8", "lru": "#d1701f", "lfu": "#5a9a4a"}
MARKS = {"s3fifo": "o", "lru": "s", "lfu": "^"}
TICKS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5)


def draw(
    file: Path, curves: Sequence[tuple[str, Sequence[Row]]], policies: Mapping[str, str]
) -> None:
    """Draw titled rows to a PNG or SVG file, by its suffix; `policies` are names to titles."""
    columns = min(COLUMNS, len(curves))
    lines = ceil(len(curves) / columns)
    figure = Figure(figsize=(4.2 * columns, 3.1 * lines + 0.7), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).flat
    for panel, (title, rows) in zip(panels, curves, strict=False):
        shares = [row.share for row in rows]
        panel.plot(
            shares, [100 * row.best for row in rows], "--", color=BEST, label="best possible"
        )
        for policy, words in policies.items():
            panel.plot(
                shares,
                [100 * row.ratio(policy) for row in rows],
                marker=MARKS[policy],
                markersize=3.5,
                color=COLOURS[policy],
                linewidth=2.2 if policy == "s3fifo" else 1.4,
                label=words,
            )
        panel.set_title(title, fontsize=10)
        panel.set_xscale("log")
        panel.set_xticks(TICKS)
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
        panel.set_ylim(0, 100)
        panel.grid(color="0.9")
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels:
        panel.set_visible(False)
    figure.supxlabel("cache size, of what all keys weigh", fontsize=10)
    figure.supylabel("hit ratio, %", fontsize=10)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    figure.savefig(file, dpi=150)

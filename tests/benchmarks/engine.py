"""Speed, memory and pauses of the engine, next to cachetools and cachebox in the same run.

python tests/benchmarks/engine.py [--json] [--quick]
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Annotated

import typer
from machine import machine
from memory import (
    MIB,
    STATUS,
    collection,
    in_fresh_process,
    longest_set,
    push,
    resident_overhead,
    traced_overhead,
)
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from speed import Scale, speeds

OURS, OURS_TTL, YARDSTICK = "gaocache", "gaocache, TTL", "cachetools"
COLUMNS = (OURS, OURS_TTL, YARDSTICK, "cachebox", "dict")
REPEATS = 3
LIBRARIES = ("cachetools", "cachebox")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: a figure by contender, and what ours, or its ratio to cachetools', may be."""

    title: str
    unit: str
    figures: dict[str, float]
    target: float | None = None
    of_ratio: bool = False

    @property
    def ratios(self) -> list[float]:
        """Ours to cachetools': without a TTL and, where it was measured, with one."""
        ours = [figure for name, figure in self.figures.items() if name in (OURS, OURS_TTL)]
        return [figure / self.figures[YARDSTICK] for figure in ours]

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached, with a TTL too; None if there is none."""
        if self.target is None:
            return None
        highest = max(self.ratios)
        return (highest if self.of_ratio else highest * self.figures[YARDSTICK]) <= self.target


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    scale: Scale
    entries: int
    collected: int
    budget: int
    pushed: int


FULL = Sizes(Scale(200_000, 20_000, 15), 200_000, 500_000, 64 * MIB, 1024 * MIB)
QUICK = Sizes(Scale(20_000, 5_000, 7), 20_000, 50_000, 8 * MIB, 128 * MIB)
STEPS = 5 + 2 * 4 + 4 + 5 * REPEATS + 4


def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A tenth of the entries: not for figures to publish.")
    ] = False,
) -> None:
    """Measure the engine next to cachetools' and cachebox's LRUCache.

    Keys are 32 bytes and values 100. Times are CPU time: medians over chunks in which the caches
    take turns. Ours is told the time with each get; a Group asks its clock for it. Memory and
    pauses are measured in a process each, on Linux. The target of a ratio holds with a TTL too.
    """
    if not STATUS.exists():
        raise typer.BadParameter(f"memory is read from {STATUS}, which only Linux has")
    sizes = QUICK if quick else FULL
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=STEPS)
        figures = list(measure(sizes, lambda: progress.advance(task)))
    if as_json:
        rows = [
            asdict(figure) | {"ratios": figure.ratios, "reached": figure.reached}
            for figure in figures
        ]
        print(
            json.dumps({"machine": machine(*LIBRARIES), "quick": quick, "figures": rows}, indent=2)
        )
    else:
        print_table(figures, quick=quick)


def measure(sizes: Sizes, done: Callable[[], None]) -> Iterator[Figure]:
    """Yield the figures, and call `done` after each of the steps."""
    targets = {"get hit, 2,000 keys": 1.2, "set with eviction": 2.1}
    for title, taken in speeds(sizes.scale, done).items():
        yield Figure(title, "ns", taken, targets.get(title), of_ratio=True)

    def each(measured: Callable[[str, int], float], entries: int) -> dict[str, float]:
        taken = {}
        for name in COLUMNS[:4]:
            taken[name] = in_fresh_process(measured, name, entries)
            done()
        return taken

    traced = each(traced_overhead, sizes.entries)
    del traced["cachebox"]  # its memory is Rust's, which tracemalloc does not see
    yield Figure("overhead, tracemalloc", "B", traced, 150)
    yield Figure("overhead, RSS", "B", each(resident_overhead, sizes.entries))
    yield Figure(
        f"full collection of {sizes.collected:,}",
        "ms",
        each(collection, sizes.collected),
        15,
    )
    pauses: dict[str, list[float]] = {}
    for name in COLUMNS:
        repeats = []
        for _ in range(REPEATS):
            repeats.append(in_fresh_process(longest_set, name, sizes.entries))
            done()
        pauses[name] = [median(times) for times in zip(*repeats, strict=True)]
    titles = ("longest set, filling", "longest set, full", "99.99th percentile set, full")
    for number, title in enumerate(titles):
        yield Figure(title, "ms", {name: taken[number] for name, taken in pauses.items()})
    for words, size in (("100 B to 64 KiB", None), ("1 KiB", 1024)):
        pushes = {}
        for name in (OURS, YARDSTICK):
            pushes[name] = in_fresh_process(push, name, sizes.budget, sizes.pushed, size)
            done()
        charged = {name: pushed.charged for name, pushed in pushes.items()}
        grown = {name: pushed.grown for name, pushed in pushes.items()}
        yield Figure(f"most charged, {words}", "budgets", charged, 1)
        yield Figure(f"RSS growth, {words}", "budgets", grown, 1.25)


def print_table(figures: list[Figure], *, quick: bool) -> None:
    """Print figures as a table, with the targets and whether they are reached."""
    table = Table(
        title=f"{'Quick run, not to be published: ' if quick else ''}{machine(*LIBRARIES)}"
    )
    table.add_column("", no_wrap=True)
    for title in (*(name.removeprefix("gaocache, ") for name in COLUMNS), "ratio", "target"):
        table.add_column(title, justify="right", no_wrap=True)
    for figure in figures:
        ratio = ", ".join(f"{ratio:.2f}x" for ratio in figure.ratios)
        table.add_row(
            f"{figure.title}, {figure.unit}",
            *(_number(figure.figures.get(name)) for name in COLUMNS),
            ratio,
            _target(figure),
        )
    console = Console(width=None if Console().is_terminal else 130)
    console.print(table)
    console.print(
        "TTL: ours, each entry with one. Ratio: ours to cachetools', then with TTL. "
        "Times are medians of CPU time over chunks in turns, the loop included. The longest set "
        "has the growth of CPython's dict in it, which copies all keys at once: see the plain "
        "dict. When full, all entries were read before. A push is "
        "16 times the budget; cachetools charges values only.",
        highlight=False,
    )


def _number(figure: float | None) -> str:
    if figure is None:
        return ""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.2f}"


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    words = f"{figure.target:g}{'x' if figure.of_ratio else ''}"
    return f"<= {words} {'[green]yes' if figure.reached else '[red]no'}"


if __name__ == "__main__":
    typer.run(main)

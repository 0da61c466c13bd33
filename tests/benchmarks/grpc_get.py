"""A node's Get over gRPC next to a bare handler, on both engines; BatchGet; one and two nodes.

python tests/benchmarks/grpc_get.py [--quick] [--json FILE]
"""

import contextlib
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from grpc_calls import (
    BARE,
    BATCH_GRPCIO,
    BATCH_NATIVE,
    GET_GRPCIO,
    GET_NATIVE,
    MANY,
    TITLES,
    TWO_GRPCIO,
    TWO_NATIVE,
    start,
)
from h2load import CLIENTS, STREAMS, run_h2load
from interrupting import ended_by_signals
from programs import program
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
from rich.progress import Progress
from rounds import Ratio, quotients, turns
from sampling import Row, Sample, row_of, sample
from stage import Stage

SEED = 7
LOAD = f"100 B, {CLIENTS * STREAMS} callers on {CLIENTS} connections"


def main(
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write all figures here.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Under a minute: one round of a second each.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 5,
) -> None:
    """Measure calls of a key that is held: about two minutes.

    A server has core 0, h2load core 1; two nodes have both cores, and h2load its share of them. All
    run at once and are called in turns; figures are medians over the rounds, ratios are made in
    each round. CPU is what the servers used a key, by /proc. h2load reads no gRPC status, so
    answers are told to be values by their length.

    Needs h2load. The native engine needs the extra `fast`.
    """
    writable(json_file)
    for name in ("h2load", "taskset"):
        program(name)
    about = machine_before()
    with ended_by_signals():
        samples = _measure(rounds=1 if quick else rounds, seconds=1 if quick else 3)
    rows = {name: row_of(taken) for name, taken in samples.items()}
    found = list(_ratios(samples))
    _print(rows, found, f"{'Quick run, not to be published: ' if quick else ''}{about}")
    if json_file:
        document = {
            "benchmark": "grpc_get",
            "machine": about,
            "quick": quick,
            "load": LOAD,
            "rows": [
                {"name": name, "title": TITLES[name]}
                | asdict(row)
                | {"rounds": [asdict(taken) for taken in samples[name]]}
                for name, row in rows.items()
            ],
            "ratios": ratio_documents(found),
        }
        write_json(json_file, document)
    end_loudly(console(), errors_of(_sections(rows)))


def _measure(*, rounds: int, seconds: int) -> dict[str, list[Sample]]:
    rng = random.Random(SEED)
    samples: dict[str, list[Sample]] = defaultdict(list)
    with (
        contextlib.ExitStack() as started,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        folder = Path(started.enter_context(tempfile.TemporaryDirectory()))
        task = progress.add_task("starting", total=len(TITLES) * (rounds + 1))
        asked = start(Stage(started, folder))
        for turn in range(rounds + 1):  # the first is to warm up
            for _, name in turns(list(asked), [None], rng):
                what = asked[name]
                length = seconds if turn else 1
                run = partial(run_h2load, what.calls, seconds=length, cores=what.cores)
                taken = sample(what.parts, run)
                if turn:
                    samples[name].append(taken)
                progress.update(task, advance=1, description=TITLES[name])
    return {name: samples[name] for name in TITLES}


def _ratios(samples: Mapping[str, Sequence[Sample]]) -> Iterator[Ratio]:
    rates = {name: [taken.load.rate for taken in found] for name, found in samples.items()}
    cpu = {name: [taken.whole_cpu for taken in found] for name, found in samples.items()}
    for title, ours, theirs, least in (
        ("Get, grpcio engine, against a bare grpcio handler", GET_GRPCIO, BARE, 0.9),
        ("Get, native engine against the grpcio engine", GET_NATIVE, GET_GRPCIO, 6.0),
        (f"BatchGet of {MANY} on grpcio, keys/s against Gets", BATCH_GRPCIO, GET_GRPCIO, 25.0),
        (f"BatchGet of {MANY} on native, keys/s against Gets", BATCH_NATIVE, GET_NATIVE, None),
    ):
        if all(rates[theirs]):
            by_cpu = quotients(cpu[theirs], cpu[ours])
            yield Ratio(title, quotients(rates[ours], rates[theirs]), least=least, by_cpu=by_cpu)
    for title, two, one in (
        ("2 nodes against 1 on grpcio: CPU a Get", TWO_GRPCIO, GET_GRPCIO),
        ("2 nodes against 1 on native: CPU a Get", TWO_NATIVE, GET_NATIVE),
    ):
        if all(cpu[one]):
            yield Ratio(title, quotients(cpu[two], cpu[one]))


def _sections(rows: Mapping[str, Row]) -> dict[str, dict[str, Row]]:
    return {LOAD: {TITLES[name]: row for name, row in rows.items()}}


def _print(rows: Mapping[str, Row], found: Sequence[Ratio], title: str) -> None:
    where = console()
    where.print(rows_table(title, _sections(rows), "keys"))
    where.print(ratios_table(found))
    where.print(
        "Latencies are those of calls, rates and CPU those of keys. *: h2load used up its core, "
        "and may be what was measured.",
        highlight=False,
    )


if __name__ == "__main__":
    typer.run(main)

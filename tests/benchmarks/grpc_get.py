"""A node's Get over gRPC next to a bare handler, on both engines; BatchGet; one and two nodes; and
what a Get costs with few callers, at the node and at the client.

python tests/benchmarks/grpc_get.py [--quick] [--json FILE]
"""

import contextlib
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from grpc_calls import (
    BARE,
    BATCH_GRPCIO,
    BATCH_NATIVE,
    CLIENT_TITLES,
    FEW_CALLERS,
    GET_GRPCIO,
    GET_NATIVE,
    MANY,
    MANY_CALLERS,
    TITLES,
    TWO_GRPCIO,
    TWO_NATIVE,
    start,
)
from grpc_clients import CLIENT, GRPCIO, OURS
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
from sampling import Row, Sample, row_of
from stage import Stage

SEED = 7

Samples = Mapping[str, Mapping[str, Sequence[Sample]]]
"""By the load, and by what is called."""


def main(
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write all figures here.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Under a minute: one round of a second each.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 5,
) -> None:
    """Measure calls of a key that is held: about five minutes.

    A server has core 0, h2load core 1; two nodes have both cores, and h2load its share of them. All
    run at once and are called in turns; figures are medians over the rounds, ratios are made in
    each round. CPU is what the servers used a key, by /proc. h2load reads no gRPC status, so
    answers are told to be values by their length.

    A client's CPU is that of a process on core 1 that makes Gets and does nothing else.

    Needs h2load.
    """
    writable(json_file)
    for name in ("h2load", "taskset"):
        program(name)
    about = machine_before()
    with ended_by_signals():
        samples = _measure(rounds=1 if quick else rounds, seconds=1 if quick else 3)
    rows = {
        load: {title: row_of(taken) for title, taken in some.items()}
        for load, some in samples.items()
    }
    found = list(_ratios(samples))
    _print(rows, found, f"{'Quick run, not to be published: ' if quick else ''}{about}")
    if json_file:
        document = {
            "benchmark": "grpc_get",
            "machine": about,
            "quick": quick,
            "rows": [
                {"load": load, "title": title}
                | asdict(row)
                | {"rounds": [asdict(taken) for taken in samples[load][title]]}
                for load, some in rows.items()
                for title, row in some.items()
            ],
            "ratios": ratio_documents(found),
        }
        write_json(json_file, document)
    end_loudly(console(), errors_of(rows))


def _measure(*, rounds: int, seconds: int) -> Samples:
    rng = random.Random(SEED)
    with (
        contextlib.ExitStack() as started,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        folder = Path(started.enter_context(tempfile.TemporaryDirectory()))
        task = progress.add_task("starting", total=None)
        asked = start(Stage(started, folder))
        pairs = [(load, title) for load, some in asked.items() for title in some]
        progress.update(task, total=len(pairs) * (rounds + 1))
        samples: dict[tuple[str, str], list[Sample]] = defaultdict(list)
        for turn in range(rounds + 1):  # the first is to warm up
            for _, (load, title) in turns(pairs, [None], rng):
                taken = asked[load][title].sample(seconds if turn else 1)
                if turn:
                    samples[load, title].append(taken)
                progress.update(task, advance=1, description=title)
    return {load: {title: samples[load, title] for title in some} for load, some in asked.items()}


def _ratios(samples: Samples) -> Iterator[Ratio]:
    many = {name: samples[MANY_CALLERS][title] for name, title in TITLES.items()}
    rates = {name: [taken.load.rate for taken in found] for name, found in many.items()}
    cpu = {name: [taken.whole_cpu for taken in found] for name, found in many.items()}
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
    for load in FEW_CALLERS.values():
        yield from _with_few(load, samples[load])


def _with_few(load: str, samples: Mapping[str, Sequence[Sample]]) -> Iterator[Ratio]:
    for where, ours, theirs, part in (
        ("node: native against grpcio", TITLES[GET_NATIVE], TITLES[GET_GRPCIO], "node"),
        ("client: ours against grpc.aio", CLIENT_TITLES[OURS], CLIENT_TITLES[GRPCIO], CLIENT),
    ):
        used = [[taken.cpu[part] for taken in samples[title]] for title in (ours, theirs)]
        if all(used[1]):
            yield Ratio(f"{load}: CPU a Get at the {where}", quotients(*used))


def _print(rows: Mapping[str, Mapping[str, Row]], found: Sequence[Ratio], title: str) -> None:
    where = console()
    where.print(rows_table(title, rows, "keys"))
    where.print(ratios_table(found))
    where.print(
        "Latencies are those of calls, rates and CPU those of keys. *: h2load used up its core, "
        "and may be what was measured.",
        highlight=False,
    )


if __name__ == "__main__":
    typer.run(main)

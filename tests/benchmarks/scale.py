"""What a request costs as keys, nodes and groups grow in number; and how long a start takes.

python tests/benchmarks/scale.py [--quick] [--json FILE]
"""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from interrupting import ended_by_signals
from lookups import Simulated
from programs import program
from report import (
    console,
    end_loudly,
    machine_before,
    ratio_documents,
    ratios_table,
    writable,
    write_json,
)
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rounds import Ratio, quotients, turns
from stacks import Stack, of_groups, of_keys
from stage import Stage
from startup import seconds_to_answer, seconds_to_import

SEED = 7
FLAT = 1.3
CALLERS = 16
NODES = (1, 4, 16, 64)
BY_KEYS = "gateway + node, CPU a request by keys held"
BY_GROUPS = "gateway + node, CPU a request by groups"
ALONE = "client alone, 1 caller, CPU a get by nodes"
SPREAD = f"client alone, {CALLERS} callers a node, CPU a get by nodes"
FIXED = f"client alone, {CALLERS} callers, CPU a get by nodes"
READY, IMPORTED = "gaocache up to its first answer", "from cache_core import Client, Group, Node"
SAID = {
    FIXED: "fewer keys go in one call the more nodes there are, down to one: not a ring's cost",
}

Found = Mapping[str, Mapping[int, Sequence[float]]]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    keys: tuple[int, ...]
    groups: tuple[int, ...]
    rounds: int
    seconds: int
    gets: int
    starts: int


FULL = Sizes((1_000, 30_000, 1_000_000), (1, 10, 100), 5, 2, 20_000, 9)
QUICK = Sizes((1_000, 10_000), (1, 100), 1, 1, 5_000, 1)


def main(
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write all figures here.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Under a minute: 10,000 keys at the most, one round.")
    ] = False,
) -> None:
    """Measure CPU time a request from 1,000 to 1,000,000 keys, 1 to 64 nodes, 1 to 100 groups.

    About five minutes, of which filling a node with a million keys takes a part. Gateways and nodes
    are processes on core 0, near cache off, asked by wrk on core 1 over 64 connections for keys
    drawn evenly; the client of many nodes is simulated in this process, without a wire. All take
    turns; a ratio is the dearest of a kind over its first. Starts are medians of fresh processes.
    """
    writable(json_file)
    for name in ("wrk", "taskset"):
        program(name)
    about = machine_before()
    with ended_by_signals():
        found, errors = _measure(QUICK if quick else FULL)
    ratios = list(_ratios(found))
    _print(found, ratios, f"{'Quick run, not to be published: ' if quick else ''}{about}")
    if json_file:
        document = {
            "benchmark": "scale",
            "machine": about,
            "quick": quick,
            "sizes": asdict(QUICK if quick else FULL),
            "rows": found,
            "ratios": ratio_documents(ratios),
        }
        write_json(json_file, document)
    end_loudly(console(), errors)


def _measure(sizes: Sizes) -> tuple[Found, list[str]]:
    rng = random.Random(SEED)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        total = (len(sizes.keys) + len(sizes.groups) + 3 * len(NODES)) * (sizes.rounds + 1)
        task = progress.add_task("", total=total + 2 * sizes.starts)

        def step(words: str) -> None:
            progress.update(task, advance=1, description=words)

        found, errors = _paths(sizes, rng, step)
        found |= asyncio.run(_clients(sizes, rng, step))
        for title, taken in ((READY, seconds_to_answer), (IMPORTED, seconds_to_import)):
            found[title] = {1: []}
            for _ in range(sizes.starts):
                found[title][1].append(taken())
                step(title)
    return found, errors


def _paths(
    sizes: Sizes, rng: random.Random, step: Callable[[str], None]
) -> tuple[dict[str, dict[int, list[float]]], list[str]]:
    errors: list[str] = []
    with contextlib.ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory()))
        stage = Stage(started, folder)
        stacks: dict[tuple[str, int], Stack] = {}
        for title, make, counts in (
            (BY_KEYS, of_keys, sizes.keys),
            (BY_GROUPS, of_groups, sizes.groups),
        ):
            for count in counts:
                stacks[title, count] = make(stage, count, folder, rng)
                step(f"{title}: filling {count:,}")
        found = _empty(stacks)
        for turn in range(sizes.rounds + 1):  # the first is to warm up
            for _, (title, count) in turns(list(stacks), [None], rng):
                taken = stacks[title, count].sample(sizes.seconds if turn else 1)
                errors += [f"{title}, {count:,}: {kind}" for kind in taken.load.errors]
                if turn:
                    found[title][count].append(taken.whole_cpu)
                step(f"{title}: {count:,}")
    return found, errors


async def _clients(
    sizes: Sizes, rng: random.Random, step: Callable[[str], None]
) -> dict[str, dict[int, list[float]]]:
    titles = (ALONE, SPREAD, FIXED)
    found = _empty([(title, nodes) for title in titles for nodes in NODES])
    async with contextlib.AsyncExitStack() as running:
        clients = {nodes: await running.enter_async_context(Simulated(nodes)) for nodes in NODES}
        for turn in range(sizes.rounds + 1):  # the first is to warm up
            for title, nodes in turns(list(NODES), titles, rng):
                taken = await clients[nodes].micros(_callers(title, nodes), sizes.gets)
                if turn:
                    found[title][nodes].append(taken)
                step(f"{title}: {nodes}")
    return found


def _callers(title: str, nodes: int) -> int:
    return {ALONE: 1, SPREAD: CALLERS * nodes, FIXED: CALLERS}[title]


def _empty(places: Iterable[tuple[str, int]]) -> dict[str, dict[int, list[float]]]:
    found: dict[str, dict[int, list[float]]] = {}
    for title, count in places:
        found.setdefault(title, {})[count] = []
    return found


def _ratios(found: Found) -> Iterator[Ratio]:
    for title in (BY_KEYS, ALONE, SPREAD, FIXED, BY_GROUPS):
        first, *others = found[title]
        dearest = max(others, key=lambda count: median(found[title][count]))
        words = f"{title}: {dearest:,} against {first:,}"
        most = None if title in SAID else FLAT
        yield Ratio(words, quotients(found[title][dearest], found[title][first]), most=most)
    yield Ratio(READY, list(found[READY][1]), most=2.0, unit=" s")
    yield Ratio(IMPORTED, list(found[IMPORTED][1]), most=0.5, unit=" s")


def _print(found: Found, ratios: Sequence[Ratio], title: str) -> None:
    table = Table(title=title)
    table.add_column("", no_wrap=True)
    table.add_column("µs, by how many", no_wrap=True)
    for kind in (BY_KEYS, ALONE, SPREAD, FIXED, BY_GROUPS):
        by_count = (f"{count:,}: {median(taken):.1f}" for count, taken in found[kind].items())
        table.add_row(kind, ", ".join(by_count))
    where = console()
    where.print(table)
    where.print(ratios_table(ratios))
    for kind, words in SAID.items():
        where.print(f"{kind}: {words}.", highlight=False)


if __name__ == "__main__":
    typer.run(main)

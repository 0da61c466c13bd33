"""A load at full speed for a while: no error, flat memory, nothing left over.

python tests/benchmarks/soak.py [--seconds 60] [--quick] [--json FILE]
"""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
import uvloop
from full_speed import Stream, run_mixture, write_mixture
from interrupting import ended_by_signals
from loop_leftovers import Held, held_before_and_after
from mixture import Mixture
from process_figures import resident
from programs import program
from report import console, end_loudly, machine_before, writable, write_json
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from stage import Stage

SEED = 7
CAPACITY, NEAR_CACHE = "4MiB", "2MiB"
CONNECTIONS, TALKERS = 32, 4
EVERY = 0.25
MIB = 1 << 20
GROWTH, SLACK = 1.05, 3 * MIB
OFF, ON = "near cache off", "near cache on"


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold at the end of a load."""

    title: str
    found: str
    wanted: str
    holds: bool


def main(
    seconds: Annotated[int, typer.Option(min=4, help="How long the load runs.")] = 60,
    quick: Annotated[
        bool, typer.Option("--quick", help="Eight seconds, too few to judge memory by.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write all figures here.")
    ] = None,
) -> None:
    """Load two gateways, near cache off and on, and their node; end with 1 where a check fails.

    wrk asks each at full speed over 32 connections: keys by Zipf's law, more than the node can
    hold, missing ones, conditional requests, removals. Over 4 more connections each answer is
    looked at, of HEAD and of the exact bytes too. Memory is flat where the median of the last
    quarter is at most 5 % and 3 MiB above that of the second: in the first, gateways come to
    remember what is asked for. Then a gateway and a node in this
    process take a quarter of that time's load, and must hold no more tasks and futures after it.

    Needs wrk.
    """
    writable(json_file)
    for name in ("wrk", "taskset"):
        program(name)
    seconds = 8 if quick else seconds
    mixtures = {"checked answers": Mixture(random.Random(SEED))}
    inside = Mixture(random.Random(SEED + 1))
    about = machine_before()
    with ended_by_signals():
        streams, memory = uvloop.run(_load(seconds, mixtures["checked answers"]))
        before, after = uvloop.run(held_before_and_after(seconds / 4, CAPACITY, inside))
    mixtures["checked answers, in process"] = inside
    checks = [
        *_stream_checks(streams),
        *_mixture_checks(mixtures),
        *([] if quick else memory_checks(memory)),
        *_held_checks(before, after),
    ]
    _print(checks, f"{seconds} s: {about}")
    if json_file:
        document: dict[str, Any] = {
            "benchmark": "soak",
            "machine": about,
            "quick": quick,
            "seconds": seconds,
            "checks": [asdict(check) for check in checks],
            "streams": {name: asdict(stream) for name, stream in streams.items()},
            "mixtures": {name: dict(mixture.counts) for name, mixture in mixtures.items()},
            "memory": memory,
            "held": {"before": asdict(before), "after": asdict(after)},
        }
        write_json(json_file, document)
    failed = [f"{check.title}: {check.found}" for check in checks if not check.holds]
    end_loudly(console(), failed + [words for found in mixtures.values() for words in found.wrong])


async def _load(seconds: int, mixture: Mixture) -> tuple[dict[str, Stream], dict[str, list[int]]]:
    """Return what came of a load on processes, and the bytes that they held meanwhile."""
    with contextlib.ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory()))
        stage = Stage(started, folder, capacity=CAPACITY)
        node = stage.node("native")
        gateways = {
            OFF: stage.gateway([node]),
            ON: stage.gateway([node], near_cache=NEAR_CACHE),
        }
        pids = {f"gateway, {name}": server.parts["gateway"] for name, server in gateways.items()}
        pids |= {"node": node.parts["node"]}
        rng = random.Random(SEED)
        asked = await write_mixture(gateways[OFF].port, mixture.drawn, folder / "asked", rng)
        stop = asyncio.Event()
        ports = [server.port for server in gateways.values() for _ in range(TALKERS)]
        async with asyncio.TaskGroup() as tasks:
            sampling = tasks.create_task(_sample(pids, seconds, stop))
            for port in ports:
                tasks.create_task(mixture.talk(port, stop))
            streams = {
                name: tasks.create_task(
                    run_mixture(server.port, asked, connections=CONNECTIONS, seconds=seconds)
                )
                for name, server in gateways.items()
            }
            await asyncio.wait(streams.values())
            stop.set()
        return {name: stream.result() for name, stream in streams.items()}, sampling.result()


async def _sample(
    pids: Mapping[str, int], seconds: int, stop: asyncio.Event
) -> dict[str, list[int]]:
    """Return the bytes that each held, over and again until `stop`."""
    held: dict[str, list[int]] = {name: [] for name in pids}
    columns = (TextColumn("the load runs"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=seconds)
        while not stop.is_set():
            for name, pid in pids.items():
                held[name].append(resident(pid))
            progress.advance(task, EVERY)
            await asyncio.sleep(EVERY)
    return held


def _stream_checks(streams: Mapping[str, Stream]) -> list[Check]:
    return [
        Check(
            f"wrk, {name}: statuses, socket errors",
            "; ".join(stream.wrong)
            or f"{sum(stream.statuses.values()):,} answers, "
            f"{sum(stream.statuses.values()) / stream.seconds:,.0f}/s",
            "200, 204, 304, 404",
            not stream.wrong and bool(stream.statuses),
        )
        for name, stream in streams.items()
    ]


def _mixture_checks(mixtures: Mapping[str, Mixture]) -> list[Check]:
    return [
        Check(
            title,
            ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.counts.items())),
            "0 wrong",
            not found.wrong and bool(found.counts),
        )
        for title, found in mixtures.items()
    ]


def memory_checks(memory: Mapping[str, Sequence[int]]) -> list[Check]:
    """Return whether each process that held these bytes, over time, grew once it was warm."""
    checks = []
    for name, held in memory.items():
        quarter = max(len(held) // 4, 1)
        warm, last = median(held[quarter : 2 * quarter]), median(held[-quarter:])
        most = warm * GROWTH + SLACK
        checks.append(
            Check(
                f"memory, {name}",
                f"{warm / MIB:.1f} MiB, then {last / MIB:.1f}",
                f"<= {most / MIB:.1f}",
                last <= most,
            )
        )
    return checks


def _held_checks(before: Held, after: Held) -> list[Check]:
    return [
        Check(f"{what}, idle", f"{was}, then {now}", f"<= {was}", now <= was)
        for what, was, now in (
            ("tasks", before.tasks, after.tasks),
            ("futures", before.futures, after.futures),
        )
    ]


def _print(checks: Sequence[Check], title: str) -> None:
    table = Table(title=title)
    for name in ("", "found", "wanted", "holds"):
        table.add_column(name)
    for check in checks:
        holds = "[green]yes" if check.holds else "[red]no"
        table.add_row(check.title, check.found, check.wanted, holds)
    console().print(table)


if __name__ == "__main__":
    typer.run(main)

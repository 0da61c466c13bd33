"""Plant faults in the code, one at a time, and see whether a test notices.

python tests/mutation [ROOM ...] [--fault NAME] [--sample] [--list] [--json FILE] [--jobs N]
"""

import json
import os
import signal
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from fault import Fault, Misplaced, all_faults, chosen
from planting import plant
from reach import Reach, TestsFail, reach
from rich.console import Console
from rich.progress import Progress
from tree import Tree
from verdicts import Verdict, document, line, shares_table

console = Console(stderr=True)


def main(
    rooms: Annotated[list[str] | None, typer.Argument(help="Only the faults of these.")] = None,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this fault; may be repeated.")
    ] = None,
    *,
    sample: Annotated[bool, typer.Option("--sample", help="Only the fixed sample.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="List them, plant nothing.")] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Measure anew which tests reach which lines.")
    ] = False,
    also: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Try this test file's tests first.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many at once.")] = os.cpu_count() or 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write all verdicts here.")
    ] = None,
) -> None:
    """Plant faults one at a time and run the unmarked tests that reach them until one fails.

    Exit 1 where a fault is not noticed that should be. The first run measures which tests reach
    which lines, which takes about as long as all tests do twice, and keeps it in .mutation.
    """
    try:
        wanted = chosen(all_faults(), rooms or (), fault or ())
        if sample:
            wanted = [each for each in wanted if each.is_sampled]
        if list_only:
            for each in wanted:
                console.print(f"{each.room:12} {each.name:40} {each.harm}", highlight=False)
            return
        verdicts = _all(wanted, _measured(anew=anew), jobs, also or [], json_file)
    except (ValueError, Misplaced) as error:
        raise typer.BadParameter(str(error)) from error
    except TestsFail as error:
        console.print(f"Tests fail without any fault:\n{error}", markup=False)
        raise typer.Exit(2) from error
    Console(file=sys.stdout).print(shares_table(verdicts))
    if not all(verdict.is_expected for verdict in verdicts):
        raise typer.Exit(1)


def _measured(*, anew: bool) -> Reach:
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        return reach(Tree(Path(folder)), anew=anew)


def _all(
    faults: list[Fault], reached: Reach, jobs: int, also: list[str], json_file: Path | None
) -> list[Verdict]:
    """Return all verdicts, and write them; where it is interrupted, write those that are known."""
    order = {fault.name: number for number, fault in enumerate(faults)}
    verdicts: list[Verdict] = []
    try:
        with (
            Progress(console=console) as progress,
            closing(plant(faults, reached, jobs=jobs, also=also)) as planting,
        ):
            bar = progress.add_task("planting", total=len(faults))
            for verdict in planting:
                verdicts.append(verdict)
                progress.console.print(line(verdict), highlight=False)
                progress.advance(bar)
    finally:
        verdicts.sort(key=lambda verdict: order[verdict.fault.name])
        if json_file is not None:
            json_file.write_text(json.dumps(document(verdicts), indent=1) + "\n", encoding="utf-8")
    return verdicts


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # so that the trials end as well
        signal.signal(number, signal.default_int_handler)
    typer.run(main)

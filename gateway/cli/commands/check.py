"""`gaocache check`: a config validated, and each of its sources tried."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NamedTuple, Protocol

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cache_core.config import ConfigError, Settings, load
from cache_core.config.fields import MAX_SECONDS
from cache_core.config.groups import TIER, make_tier, problem_of
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.opening import CHECK_SECONDS, make_retriever
from cache_core.sources.opening import check as try_source
from gateway.cli.commands.node import check_cluster
from gateway.cli.failure import EXIT_WRONG, Failure
from gateway.cli.output import write

CLOSE_SECONDS: Final = 1.0
"""How long the sources may take to close once all were tried."""

WIDE: Final = 1000
"""Columns of an output that is no terminal: nothing is wrapped there."""


class Part(Protocol):
    """A group's source or its tier."""

    async def check(self) -> None:
        """Raise InvalidSource, SourceUnavailable or RetrieverFailed where it doesn't serve."""

    async def aclose(self) -> None:
        """Close it."""


class Checked(NamedTuple):
    """The result of trying a group's source or tier: `error` says what is wrong, or is None."""

    group: str
    kind: str
    error: str | None


def check(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The TOML file.")],
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0.001,
            max=MAX_SECONDS,
            help="How long a source may take to say that it serves.",
        ),
    ] = CHECK_SECONDS,
    json_: Annotated[
        bool,
        typer.Option(
            "--json",
            help='Print {"ok", "errors", "sources"}: what is wrong in the file, and each group\'s '
            '"group", "kind" ("tier" of its tier), "ok" and "error".',
        ),
    ] = False,
) -> None:
    """Say what is wrong in a config, and try each source and tier that it names.

    Exits with 1 where anything is wrong, or a source can't be reached.

    Examples:
      gaocache check gaocache.toml

      gaocache check gaocache.toml --json

    """
    try:
        settings = load(config)
        check_cluster(settings)
    except (ConfigError, Failure) as error:
        if json_:
            _write_json(str(error).splitlines(), [])
            raise Failure(exit_status=EXIT_WRONG) from error
        raise Failure(str(error), exit_status=EXIT_WRONG) from error
    found, are_all_closed = asyncio.run(_try_all(settings, config.parent, timeout))
    if json_:
        _write_json([], found)
    else:
        _show(found)
    status = EXIT_WRONG if any(one.error for one in found) else 0
    if not are_all_closed:
        sys.stdout.flush()
        os._exit(status)  # a source that hangs would keep the interpreter from ending
    if status:
        raise Failure(exit_status=status)


async def _try_all(
    settings: Settings, folder: Path, seconds: float
) -> tuple[Sequence[Checked], bool]:
    """Return the result of trying each source and tier, and whether all of them have closed."""
    trials: list[Coroutine[object, object, Checked]] = []
    for group, table in settings.groups.items():
        make = partial(make_retriever, table.source, folder=folder)
        trials.append(_try(settings, group, table.source.kind, make, seconds))
        if table.tier is not None:
            timeout = table.load_timeout
            make_its_tier = partial(make_tier, table.tier, group=group, load_timeout=timeout)
            trials.append(_try(settings, group, TIER, make_its_tier, seconds))
    found = await asyncio.gather(*trials)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        await asyncio.wait(left, timeout=CLOSE_SECONDS)
    return found, not any(not task.done() for task in left)


async def _try(
    settings: Settings, group: str, kind: str, make: Callable[[], Part], seconds: float
) -> Checked:
    try:
        part = make()
    except InvalidSource as error:
        return Checked(group, kind, str(problem_of(settings, group, error)))
    wrong = await try_source(part.check, seconds=seconds)
    closing = asyncio.ensure_future(part.aclose())
    await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    closing.cancel()
    if wrong is None:
        return Checked(group, kind, None)
    return Checked(group, kind, str(problem_of(settings, group, wrong, is_tier=kind == TIER)))


def _show(found: Sequence[Checked]) -> None:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for column in ("group", "kind", "result"):
        table.add_column(column, overflow="fold")
    for group, kind, error in found:
        result = Text("ok", style="green") if error is None else Text(error, style="red")
        table.add_row(Text(group), kind, result)
    width = None if sys.stdout.isatty() else WIDE
    Console(highlight=False, width=width).print(table)


def _write_json(errors: Sequence[str], found: Sequence[Checked]) -> None:
    sources = [
        {"group": group, "kind": kind, "ok": error is None, "error": error}
        for group, kind, error in found
    ]
    is_ok = not errors and not any(one.error for one in found)
    document = {"ok": is_ok, "errors": errors, "sources": sources}
    write(json.dumps(document, ensure_ascii=False).encode() + b"\n")

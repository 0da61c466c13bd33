"""A survey of a cluster as a table for the eye: within 100 columns, clear without colour."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cache_core.messages import Health
from gateway.survey.figures import Figures
from gateway.survey.survey import NO_ANSWER, WORDS, NodeRow, Survey

STYLES: Final = {WORDS[Health.UP]: "green", NO_ANSWER: "bold red"}
FIGURES: Final = (
    "entries",
    "bytes of\ncapacity",
    "hits",
    "misses",
    "loads",
    "hot\nhits",
    "fetches",
)


def show(found: Survey, console: Console, *, with_groups: bool) -> None:
    """Print the nodes, the reason for each missing answer, the ring and the warnings.

    With `with_groups`, also each group's sums over the nodes.
    """
    console.print(_node_table(found))
    for row in found.rows:
        if row.error is not None:
            console.print(Text(f"{row.node} gives no answer: {row.error}"))
    if with_groups:
        console.print(_group_table(found))
    count = len(found.rows)
    ring = "no ring: it is alone" if count == 1 else f"{count} members"
    if found.ring is not None:
        ring = f"ring {found.ring:016x}, {ring}"
    console.print(Text(ring))
    for warning in found.warnings:
        console.print(Text(f"warning: {warning}", style="yellow"))


def _node_table(found: Survey) -> Table:
    table = _table("node", "health", "share", *FIGURES, "uptime")
    for row in found.rows:
        share = "" if row.view is None else _percent(row.view.share)
        health = Text(row.health, style=STYLES.get(row.health, "yellow"))
        table.add_row(Text(row.node), health, share, *_cells(row))
    return table


def _cells(row: NodeRow) -> tuple[str, ...]:
    if row.info is None:
        return ()
    return (*_figures(Figures.total(row.groups.values())), _uptime(row.info.uptime))


def _group_table(found: Survey) -> Table:
    table = _table("group", *FIGURES)
    for name, group in found.groups.items():
        table.add_row(Text(name), *_figures(group))
    return table


def _table(name: str, *columns: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(name, overflow="fold", vertical="bottom")
    for column in columns:
        table.add_column(column, justify="left" if column == "health" else "right", no_wrap=True)
    return table


def _figures(figures: Figures) -> tuple[str, ...]:
    counts = (figures.hits, figures.misses, figures.loads, figures.hot_hits, figures.fetches)
    held = f"{_size(figures.bytes)}/{_size(figures.capacity)}"
    return (_count(figures.entries), held, *map(_count, counts))


def _percent(share: float) -> str:
    return "100%" if share > 0.9995 else f"{100 * share:.1f}%"


def _count(number: int) -> str:
    """Return `number` in at most five characters: 9,999, 12.3k, 456M."""
    if number < 10_000:
        return f"{number:,}"
    return _scaled(number, 1_000, ("", "k", "M", "G", "T", "P"))


def _size(size: int) -> str:
    return _scaled(size, 1_024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB"))


def _scaled(number: float, step: int, units: tuple[str, ...]) -> str:
    exponent = 0
    while number >= step - 0.5 and exponent < len(units) - 1:
        number /= step
        exponent += 1
    digits = 0 if exponent == 0 or number >= 99.95 or number == int(number) else 1
    return f"{number:.{digits}f}{units[exponent]}"


def _uptime(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    first = next((place for place, (number, _) in enumerate(parts) if number), len(parts) - 1)
    return "".join(f"{number}{unit}" for number, unit in parts[first : first + 2])

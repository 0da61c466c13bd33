"""What came of planted faults: noticed or not, told by room in a table or as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fault import Fault
from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a fault came to: `by` is the test that noticed it, empty where none did.

    `words` tell of tests that would fail without the fault as well, and why none noticed it.
    """

    fault: Fault
    by: str
    words: str
    tests: int

    @property
    def is_expected(self) -> bool:
        """Whether it is noticed, or known not to be."""
        return bool(self.by) is not bool(self.fault.unnoticed)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a room's faults were noticed."""

    room: str
    planted: int
    noticed: int

    @property
    def percent(self) -> float:
        return 100 * self.noticed / self.planted


def shares(verdicts: Iterable[Verdict]) -> list[Share]:
    """Return each room's share in the order of names, and that of all together at the end."""
    counts: dict[str, list[int]] = {}
    for verdict in verdicts:
        for room in (verdict.fault.room, "all"):
            count = counts.setdefault(room, [0, 0])
            count[0] += 1
            count[1] += bool(verdict.by)
    rooms = sorted(counts, key=lambda room: (room == "all", room))
    return [Share(room, *counts[room]) for room in rooms]


def shares_table(verdicts: Sequence[Verdict]) -> Table:
    """Return a table of rooms."""
    table = Table("room", "planted", "noticed", "%")
    for share in shares(verdicts):
        table.add_row(share.room, str(share.planted), str(share.noticed), f"{share.percent:.0f}")
    return table


def line(verdict: Verdict) -> str:
    """Return a verdict in a line of console markup."""
    fault = verdict.fault
    why = f" [dim]({escape(verdict.words)})[/]" if verdict.words else ""
    if verdict.by:
        return f"[green]noticed[/]   {fault.name} [dim]by {escape(verdict.by)}[/]{why}"
    return (
        f"[red]unnoticed[/] {fault.name} {fault.file}: {escape(fault.harm)} "
        f"[dim]({verdict.tests} tests)[/]{why}"
    )


def document(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return all of it as plain data."""
    return {
        "rooms": [
            {"room": share.room, "planted": share.planted, "noticed": share.noticed}
            for share in shares(verdicts)
        ],
        "faults": [
            {
                "name": verdict.fault.name,
                "room": verdict.fault.room,
                "file": verdict.fault.file,
                "noticed": bool(verdict.by),
                "by": verdict.by,
                "words": verdict.words,
                "harm": verdict.fault.harm,
                "known": verdict.fault.unnoticed,
            }
            for verdict in verdicts
        ],
    }

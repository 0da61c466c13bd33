"""What the kernel says of running processes: CPU time and memory, of each with all below it."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> Iterator[int]:
    """Yield `pid` and the processes below it; nothing of what has ended."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:
        return
    yield pid
    for thread in threads:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it may have ended
            for child in (thread / "children").read_text().split():
                yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that the processes at and below `pid` have used."""
    return sum(int(ticks) for below in tree(pid) for ticks in _fields(below)[11:13]) / TICKS


def resident(pid: int) -> int:
    """Return the bytes of memory that the processes at and below `pid` hold."""
    return sum(int(_fields(below)[21]) for below in tree(pid)) * PAGE


def cpu_of(parts: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU time of each part, by its name, of which `parts` has the process id."""
    return {name: cpu_seconds(pid) for name, pid in parts.items()}


def _fields(pid: int) -> list[str]:
    """Return what follows the command's name, which may have spaces and brackets, in stat."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()

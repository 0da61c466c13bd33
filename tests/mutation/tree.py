"""Copies of the project in which faults are planted, so that nobody's files are changed."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fault import Fault

ROOT: Final = Path(__file__).parents[2]

PARTS: Final = ("cache_core", "gateway", "tests")
"""The folders whose Python files decide what a test does."""


def sources(root: Path = ROOT) -> dict[str, str]:
    """Return the text of every Python file of the project, by its path below the root."""
    return {
        str(file.relative_to(root)): file.read_text(encoding="utf-8")
        for part in PARTS
        for file in sorted((root / part).rglob("*.py"))
    }


class Tree:
    """One copy of the project below `folder`; at most one fault is in it at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stamps = itertools.count(1)
        for name in _files():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)

    @contextmanager
    def planted(self, fault: Fault) -> Iterator[None]:
        """Have `fault` in the tree for the body. Raises Misplaced."""
        file = self.folder / fault.file
        text = file.read_text(encoding="utf-8")
        self._write(file, fault.planted_in(text))
        try:
            yield
        finally:
            self._write(file, text)

    def _write(self, file: Path, text: str) -> None:
        """Write it with a time of its own: Python tells compiled files by time and size."""
        file.write_text(text, encoding="utf-8")
        stamp = 1_000_000_000 + next(self._stamps)
        os.utime(file, (stamp, stamp))


def _files() -> list[str]:
    """Return what git has or would take, by paths below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]

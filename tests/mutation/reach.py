"""Which tests reach a line: measured once by coverage.py, and kept while the code changes a little.

The lines of a file that has changed since are found again by comparing the two texts. A test file
that has changed or is new since counts as reaching the lines of the room that it mirrors.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path, PurePath
from typing import Final

from fault import Fault
from tree import ROOT, Tree, sources

KEPT: Final = ROOT / ".mutation"
"""Where what was measured is kept; git ignores it."""


class TestsFail(Exception):
    """Tests fail in the code as it is, so that nothing can be said of faults."""


Lines = dict[int, list[str]]
"""The ids of the tests that ran each line of a file."""


class Reach:
    """The tests that ran each line of each file, as they were measured in `before`, the texts.

    `now` are the texts of now, in which faults have their lines.
    """

    def __init__(
        self, files: dict[str, Lines], before: dict[str, str], now: dict[str, str]
    ) -> None:
        self._files = files
        self._before = before
        self._now = now
        self._sizes = Counter(
            test for lines in files.values() for tests in lines.values() for test in tests
        )

    def tests(self, fault: Fault) -> list[str]:
        """Return the ids of the tests that reach the fault's lines, those that do least first.

        Where no test runs these lines by itself (they run at the import), it is those of all files
        of the folder: what such lines make is used elsewhere.
        """
        lines = self._lines_then(fault)
        contexts = self._files.get(fault.file, {})
        found = {test for line in lines for test in contexts.get(line, ())}
        if not found:
            folder = PurePath(fault.file).parent
            around = [each for file, each in self._files.items() if PurePath(file).parent == folder]
            found = {test for each in around for tests in each.values() for test in tests}
        return sorted(found, key=lambda test: (self._sizes[test], test))

    def changed_files(self, fault: Fault) -> list[str]:
        """Return the test files, new or changed since, of the folder that mirrors the fault's."""
        folder = PurePath(fault.file).parent
        mirror = PurePath("tests", str(folder).replace("cache_core", "core", 1))
        while not (ROOT / mirror).is_dir():  # a room whose tests lie with those of the room around
            mirror = mirror.parent
        return [
            file
            for file, text in self._now.items()
            if PurePath(file).is_relative_to(mirror)
            and PurePath(file).name.startswith("test_")
            and self._before.get(file) != text
        ]

    def _lines_then(self, fault: Fault) -> set[int]:
        """Return the numbers that the fault's lines had when the reach was measured."""
        now, before = self._now[fault.file], self._before.get(fault.file, "")
        lines = fault.lines_in(now)
        if now == before:
            return set(lines)
        matcher = SequenceMatcher(None, before.splitlines(), now.splitlines(), autojunk=False)
        return {
            block.a + line - block.b
            for block in matcher.get_matching_blocks()
            for line in lines
            if block.b < line <= block.b + block.size
        }


def reach(tree: Tree, *, anew: bool) -> Reach:
    """Return what was measured before, or measure it in `tree` (some minutes). Raises TestsFail."""
    kept, texts = KEPT / "coverage", KEPT / "sources.json"
    if anew or not texts.exists():
        _measure(tree, kept)
        texts.write_text(json.dumps(sources(tree.folder)), encoding="utf-8")
    return Reach(_read(kept), json.loads(texts.read_text(encoding="utf-8")), sources())


def _read(kept: Path) -> dict[str, Lines]:
    from coverage import CoverageData  # noqa: PLC0415 - of the extra `dev`; faults are read without

    data = CoverageData(str(kept))
    data.read()
    try:
        return {
            file: {
                line: [context.rpartition("|")[0] for context in contexts if context]
                for line, contexts in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
    finally:
        data.close()


def _measure(tree: Tree, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--cov=cache_core"),
            *("--cov=gateway", "--cov-context=test", "--cov-report="),
        ],
        cwd=tree.folder,
        env={**os.environ, "PYTHONPATH": str(tree.folder), "CI": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise TestsFail(ran.stdout[-4000:])
    shutil.move(tree.folder / ".coverage", target)

"""Plant faults one at a time, each in a tree of its own, several trees at once."""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

from fault import Fault
from reach import Reach
from tree import Tree
from trial import Running, Trial
from verdicts import Verdict


def plant(
    faults: Sequence[Fault], reached: Reach, *, jobs: int, also: Sequence[str] = ()
) -> Iterator[Verdict]:
    """Yield each fault's verdict as it is known; the tests in the files `also` are tried first.

    Raises Misplaced.
    """
    with (
        tempfile.TemporaryDirectory(prefix="mutation-") as folder,
        ThreadPoolExecutor(jobs) as workers,
    ):
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(jobs):
            trees.put(Tree(Path(folder) / str(number)))
        trying = [workers.submit(_verdict, fault, reached, trees, also) for fault in faults]
        try:
            for tried in as_completed(trying):
                yield tried.result()
        finally:
            for waiting in trying:
                waiting.cancel()


def _verdict(
    fault: Fault, reached: Reach, trees: "SimpleQueue[Tree]", also: Sequence[str]
) -> Verdict:
    tests = reached.tests(fault)
    files = list(dict.fromkeys([*also, *reached.changed_files(fault)]))
    tree = trees.get()
    try:
        with tree.planted(fault):
            return _try(fault, tree, tests, files)
    finally:
        trees.put(tree)


def _try(fault: Fault, tree: Tree, tests: list[str], files: list[str]) -> Verdict:
    """Try until a test fails twice: one that fails once may have failed by chance."""
    chance: list[str] = []
    while True:
        outcome = Running(tree.folder, Trial(tests, files, chance)).outcome()
        failed = outcome.failed
        if not failed or "::" not in failed:
            return Verdict(fault, failed, outcome.words if not failed else "", len(tests))
        again = Running(tree.folder, Trial([failed], [], [])).outcome()
        if again.failed:
            return Verdict(fault, failed, "", len(tests))
        chance.append(failed)

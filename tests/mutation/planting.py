"""Plant faults one at a time, each in a tree of its own, several trees at once."""

import tempfile
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from fault import Fault
from reach import Reach
from tree import Tree
from trial import Trial, TrialEnd, Trials
from verdicts import Verdict


def plant(
    faults: Sequence[Fault], reached: Reach, *, jobs: int, also: Sequence[str] = ()
) -> Generator[Verdict, None, None]:
    """Yield each fault's verdict as it is known; the tests in the files `also` are tried first.

    When it is closed, the trials that run are ended. Raises Misplaced.
    """
    with (
        tempfile.TemporaryDirectory(prefix="mutation-") as folder,
        ThreadPoolExecutor(jobs) as workers,
    ):
        trials = Trials()
        planting = _Planting(Path(folder), jobs, reached, also, trials)
        trying = [workers.submit(planting.verdict, fault) for fault in faults]
        try:
            for tried in as_completed(trying):
                yield tried.result()
        finally:
            for waiting in trying:
                waiting.cancel()
            trials.end()


class Control:
    """Tells of tests whether they fail without any fault, as `run` finds, each time once."""

    def __init__(self, run: Callable[[Trial], TrialEnd]) -> None:
        self._run = run
        self._known: dict[str, bool] = {}
        self._lock = Lock()

    def fails(self, test: str) -> bool:
        """Return whether `test` fails though nothing is planted."""
        with self._lock:
            if test not in self._known:
                self._known[test] = self._run(Trial([test], [], [])).failed == test
            return self._known[test]


class _Planting:
    def __init__(
        self, folder: Path, jobs: int, reached: Reach, also: Sequence[str], trials: Trials
    ) -> None:
        self._reached = reached
        self._also = also
        self._trials = trials
        unplanted = Tree(folder / "control").folder
        self._control = Control(lambda trial: trials.run(unplanted, trial))
        self._trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(jobs):
            self._trees.put(Tree(folder / str(number)))

    def verdict(self, fault: Fault) -> Verdict:
        """Plant `fault`, and return what came of it."""
        tests = self._reached.tests(fault)
        files = list(dict.fromkeys([*self._also, *self._reached.changed_files(fault)]))
        tree = self._trees.get()
        try:
            with tree.planted(fault):
                return judged(
                    fault,
                    Trial(tests, files, []),
                    lambda trial: self._trials.run(tree.folder, trial),
                    self._control.fails,
                )
        finally:
            self._trees.put(tree)


def judged(
    fault: Fault,
    trial: Trial,
    planted: Callable[[Trial], TrialEnd],
    fails_always: Callable[[str], bool],
) -> Verdict:
    """Return what comes of `trial`, which `planted` runs in a tree with `fault`.

    It is run until a test fails twice, and passes without the fault, as `fails_always` denies. One
    that fails once may have failed by chance.
    """
    words: list[str] = []
    while True:
        end = planted(trial)
        test = end.failed
        if not test or "::" not in test:
            words += [end.words] if not test and end.words else []
            return Verdict(fault, test, "; ".join(words), len(trial.tests))
        if planted(Trial([test], [], [])).failed:
            if not fails_always(test):
                return Verdict(fault, test, "; ".join(words), len(trial.tests))
            words.append(f"{test} fails without the fault as well")
        trial = replace(trial, omitted=[*trial.omitted, test])

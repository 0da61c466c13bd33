"""One trial: the tests that reach a fault are run in a tree that has it, until one fails.

A trial is a process forked from a server that has imported pytest and all libraries, so that it
costs a second less than a new interpreter.
"""

import os
import select
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock, Thread
from typing import Final

LIBRARIES: Final = (
    *("pytest", "_pytest.assertion.rewrite", "_pytest.pastebin", "_pytest.junitxml"),
    *("asyncio", "sqlite3", "hpack", "grpc.aio", "grpc_health.v1", "grpc_reflection.v1alpha"),
    *("fastapi", "fastapi_offline", "httpx", "httpcore2", "sqlalchemy.ext.asyncio", "aiosqlite"),
    *("pydantic_settings", "rich.progress", "tomlkit", "typer", "uvicorn", "uvloop", "httptools"),
)

PLUGINS: Final = ("schemathesis", "cacheprovider", "pytest_cov", "xdist.looponfail")
"""What no trial needs."""

SECONDS: Final = 900
"""The longest that one trial may take."""

TEST_SECONDS: Final = 20
"""The longest that one test may take. One that a fault makes hang is tried twice."""

AT_THE_END: Final = "the end of the tests"
"""Which fails where something is left over that belongs to no test."""

WORDS: Final = 2_000
"""How much is kept of what pytest said, in characters."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What to run: test ids in their order, whole files that come before them, and ids to omit."""

    tests: Sequence[str]
    files: Sequence[str]
    omitted: Sequence[str]


@dataclass(frozen=True, slots=True)
class TrialEnd:
    """What came of a trial: the test that failed, empty where none did, and its words."""

    failed: str
    words: str


class RunningTrial:
    """A trial under way in a process of its own, which ends with the process that began it."""

    def __init__(self, folder: Path, trial: Trial) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload(list(LIBRARIES))
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(str(folder), trial, sender))
        self._process.start()
        sender.close()

    def wait(self) -> TrialEnd:
        """Wait for its end, end all that it left behind, and return what came of it."""
        try:
            if not self._receiver.poll(SECONDS):
                return TrialEnd("", f"it took longer than {SECONDS} seconds")
            received: TrialEnd = self._receiver.recv()
        except EOFError:
            return TrialEnd("", "the trial's process ended before pytest did")
        else:
            return received
        finally:
            self._receiver.close()
            self.kill()
            self._process.join()

    def kill(self) -> None:
        """End it and its processes at once; `wait` returns then."""
        if self._process.pid is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                self._process.kill()


class Trials:
    """All trials of the tool: once these are ended, no other begins. Knows no faults."""

    def __init__(self) -> None:
        self._running: set[RunningTrial] = set()
        self._are_ended = False
        self._lock = Lock()

    def run(self, folder: Path, trial: Trial) -> TrialEnd:
        """Run `trial` in the tree at `folder`, and return what came of it."""
        with self._lock:
            if self._are_ended:
                return TrialEnd("", "the tool was ended")
            running = RunningTrial(folder, trial)
            self._running.add(running)
        try:
            return running.wait()
        finally:
            with self._lock:
                self._running.discard(running)

    def end(self) -> None:
        """End those that run."""
        with self._lock:
            self._are_ended = True
            for running in self._running:
                running.kill()


class Chosen:
    """A plugin: keep these tests, in their order, after those of whole files; note who fails."""

    def __init__(self, trial: Trial) -> None:
        self.failed = ""
        self.words = ""
        self._order = {test: number for number, test in enumerate(trial.tests)}
        self._files = set(trial.files)
        self._omitted = set(trial.omitted)

    def pytest_collection_modifyitems(self, items: list[object]) -> None:
        ranked = [(self._rank(item), item) for item in items]
        items[:] = [item for rank, item in sorted(ranked, key=lambda pair: pair[0]) if rank < _LAST]

    def pytest_collectreport(self, report: object) -> None:
        self._note(report)

    def pytest_runtest_logreport(self, report: object) -> None:
        self._note(report)

    def _rank(self, item: object) -> int:
        test: str = item.nodeid  # type: ignore[attr-defined]
        if test in self._omitted:
            return _LAST
        if test.partition("::")[0] in self._files:
            return -1
        return self._order.get(test, _LAST)

    def _note(self, report: object) -> None:
        if report.failed and not self.failed:  # type: ignore[attr-defined]
            self.failed = report.nodeid  # type: ignore[attr-defined]
            self.words = str(report.longrepr)  # type: ignore[attr-defined]


_LAST: Final = 1 << 30


def _run(folder: str, trial: Trial, sender: Connection) -> None:
    """Run pytest in this process, which leads a group of its own, and send what came of it."""
    os.setsid()
    Thread(target=_die_with, args=[sender], daemon=True).start()
    os.chdir(folder)
    sys.path.insert(0, folder)
    os.environ.update(PYTHONPATH=folder, PYTHONDONTWRITEBYTECODE="")
    os.environ.pop("CI", None)
    with tempfile.TemporaryFile() as output:
        for number in (1, 2):
            os.dup2(output.fileno(), number)
        chosen = Chosen(trial)
        try:
            code = _pytest(trial, chosen)
        except Exception as error:  # noqa: BLE001 - where pytest ends, it tells of what was left over
            code = 1
            chosen.failed = chosen.failed or AT_THE_END
            chosen.words = chosen.words or repr(error)
        if code not in (0, 1):  # neither passed nor failed
            output.seek(0)
            chosen.words += f"pytest ended with {code}:\n{output.read().decode()}"
        sender.send(TrialEnd(chosen.failed, chosen.words[-WORDS:]))
    sender.close()
    os._exit(0)


def _die_with(sender: Connection) -> None:
    """End this process's group as soon as nobody is left who takes what `sender` would send."""
    poll = select.poll()
    poll.register(sender, 0)  # an error is told without being asked for
    poll.poll()
    os.killpg(0, signal.SIGKILL)


def _pytest(trial: Trial, chosen: Chosen) -> int:
    import pytest  # noqa: PLC0415 - the server has imported it; the tool itself does without

    files = dict.fromkeys([*trial.files, *(test.partition("::")[0] for test in trial.tests)])
    return pytest.main(
        [
            *("-q", "-x", "-n", "0", "--hypothesis-seed=0", f"--timeout={TEST_SECONDS}"),
            *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
            *(part for plugin in PLUGINS for part in ("-p", f"no:{plugin}")),
            *(file for file in files if Path(file).exists()),
        ],
        plugins=[chosen],
    )

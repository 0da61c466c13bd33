"""The planted faults fit the code, and planting one is noticed if and only if a test minds it."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import forkserver, get_context, resource_tracker
from pathlib import Path

import pytest
from fault import Fault, Misplaced, all_faults, chosen
from planting import Control, judged, plant
from reach import Reach
from swapped import shape, swapped
from tree import ROOT, sources
from trial import LIBRARIES, Trial, TrialEnd
from verdicts import Verdict, document, line, shares

from cache_core.node.removal import Removals

FAULTS = all_faults()

TWICE = Fault("f", "r", "x.py", "class ", "class  ", "none")


def test_there_are_at_least_five_hundred_over_all_rooms() -> None:
    assert len(FAULTS) >= 500
    assert len({fault.room for fault in FAULTS}) >= 12


def test_each_fault_fits_the_code_and_is_code_itself() -> None:
    texts = sources()
    shapes = {file: shape(compile(texts[file], file, "exec")) for file in {f.file for f in FAULTS}}
    for fault in FAULTS:
        planted = compile(fault.planted_in(texts[fault.file]), fault.file, "exec")
        assert shape(planted) != shapes[fault.file], fault.name
        assert fault.harm, fault.name


def test_no_change_is_planted_twice() -> None:
    changes = [(fault.file, fault.before, fault.after) for fault in FAULTS]
    assert [change for change in set(changes) if changes.count(change) > 1] == []


def test_the_sample_has_some_of_nearly_every_room() -> None:
    sample = [fault for fault in FAULTS if fault.is_sampled]
    assert 20 <= len(sample) <= 80
    assert len({fault.room for fault in sample}) >= 10


def test_a_text_that_is_not_there_once_is_refused() -> None:
    with pytest.raises(Misplaced, match="2 times"):
        TWICE.planted_in("class A: ...\nclass B: ...\n")


def test_the_lines_of_a_fault_are_those_of_its_text() -> None:
    fault = Fault("f", "r", "x.py", "b = 1\nc = 2\n", "", "none")
    assert fault.lines_in("a = 0\nb = 1\nc = 2\nd = 3\n") == range(2, 4)


def test_rooms_and_names_that_are_not_known_are_told() -> None:
    with pytest.raises(ValueError, match="rooms are"):
        chosen(FAULTS, ["nowhere"], [])
    with pytest.raises(ValueError, match="no fault 'nothing'"):
        chosen(FAULTS, [], ["nothing"])


def test_a_swapped_function_does_what_the_fault_makes_of_it_and_then_what_it_did() -> None:
    fault = next(
        fault for fault in FAULTS if fault.name == "together-left-out-nodes-are-waited-for"
    )
    before = Removals._tell.__code__  # noqa: SLF001 - it is code that is compared
    with swapped(fault):
        assert Removals._tell.__code__ != before  # noqa: SLF001
    assert Removals._tell.__code__ is before  # noqa: SLF001


def test_shares_are_told_by_room_and_of_all() -> None:
    one = Fault("a", "x", "f.py", "", "", "h")
    other = Fault("b", "y", "f.py", "", "", "h", unnoticed="it takes a machine with two clocks")
    verdicts = [Verdict(one, "tests/test_a.py::test", "", 3), Verdict(other, "", "", 3)]
    assert [(share.room, share.planted, share.noticed) for share in shares(verdicts)] == [
        ("x", 1, 1),
        ("y", 1, 0),
        ("all", 2, 1),
    ]
    assert all(verdict.is_expected for verdict in verdicts)
    assert document(verdicts)["faults"][1]["known"] == "it takes a machine with two clocks"


def judged_by(
    with_fault: list[str], *, by_chance: Sequence[str] = (), without: Sequence[str] = ()
) -> Verdict:
    """The verdict where `with_fault` fail with the fault, one after the other."""
    fault = Fault("a", "x", "f.py", "", "", "h")
    tests = ["t.py::one", "t.py::two", "t.py::three"]

    def planted(trial: Trial) -> TrialEnd:
        failing = [test for test in with_fault if test in trial.tests]
        failing = [test for test in failing if test not in trial.omitted]
        if len(trial.tests) == 1:
            failing = [test for test in failing if test not in by_chance]
        return TrialEnd(failing[0] if failing else "", "")

    return judged(fault, Trial(tests, [], []), planted, without.__contains__)


def test_a_fault_is_noticed_by_the_first_test_that_fails_twice() -> None:
    assert judged_by(["t.py::two", "t.py::three"]).by == "t.py::two"
    assert judged_by(["t.py::one", "t.py::two"], by_chance=["t.py::one"]).by == "t.py::two"
    assert judged_by(["t.py::one"], by_chance=["t.py::one"]).by == ""
    assert judged_by([]).by == ""


def test_a_test_that_fails_without_the_fault_as_well_does_not_notice_it_and_is_told() -> None:
    verdict = judged_by(["t.py::one"], without=["t.py::one"])
    assert verdict.by == ""
    assert "t.py::one fails without the fault as well" in verdict.words
    assert "fails without" in line(verdict)
    verdict = judged_by(["t.py::one", "t.py::three"], without=["t.py::one"])
    assert verdict.by == "t.py::three"
    assert "t.py::one fails without the fault as well" in line(verdict)


def test_each_test_is_run_once_without_any_fault() -> None:
    ran: list[str] = []

    def run(trial: Trial) -> TrialEnd:
        ran.extend(trial.tests)
        return TrialEnd("t.py::one" if trial.tests == ["t.py::one"] else "", "")

    control = Control(run)
    for _ in range(2):
        assert control.fails("t.py::one")
        assert not control.fails("t.py::two")
    assert ran == ["t.py::one", "t.py::two"]


@pytest.fixture(scope="module")
def _fork_server() -> None:
    """Start what outlives the first trial: it serves all of this process."""
    get_context("forkserver").set_forkserver_preload(list(LIBRARIES))
    resource_tracker.ensure_running()
    forkserver.ensure_running()


@pytest.mark.slow
@pytest.mark.usefixtures("_fork_server")
@pytest.mark.parametrize(
    ("test", "is_noticed"),
    [
        ("test_debts_to_nodes_that_never_come_back_are_bounded", True),
        ("test_what_a_node_missed_is_owed_until_it_is_told", False),
    ],
)
def test_a_fault_is_noticed_by_the_tests_that_mind_it_alone(test: str, is_noticed: bool) -> None:
    fault = Fault(
        "debts-have-no-bounds",
        "link",
        "cache_core/cluster/debts.py",
        "while len(self._owed) > MOST_NODES:",
        "while len(self._owed) > MOST_NODES * 1000:",
        "nodes that come and go under new names fill the memory",
    )
    reached = Reach(
        {fault.file: {42: [f"tests/core/cluster/test_debts.py::{test}"]}}, sources(), sources()
    )
    (verdict,) = plant([fault], reached, jobs=1)
    assert bool(verdict.by) is is_noticed


UNDER_WAY = """
import signal
import sys
from pathlib import Path

sys.path.insert(0, "tests/mutation")
from trial import RunningTrial, Trial

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may have begun with it ignored
    running = RunningTrial(Path.cwd(), Trial([], ["tests/simulation/test_simulation.py"], []))
    print(running._process.pid, flush=True)
    running.wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_trial_ends_with_the_process_that_began_it(number: int, tmp_path: Path) -> None:
    script = tmp_path / "under_way.py"
    script.write_text(UNDER_WAY)
    with subprocess.Popen(
        [sys.executable, script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as began:
        assert began.stdout is not None
        trial = os.pidfd_open(int(began.stdout.readline()))
        began.send_signal(number)
    try:
        assert select.select([trial], [], [], 10)[0], "the trial goes on"
    finally:
        os.close(trial)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_every_fault_of_the_sample_is_noticed() -> None:
    ran = subprocess.run(
        [sys.executable, "tests/mutation", "--sample"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
